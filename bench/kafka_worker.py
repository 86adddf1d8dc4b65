"""Ours as a worker of a group: waits until it is let go, folds what it is assigned, and tells which batch it did when.

With the option `links` every event makes one transition, sent at once, as a casebook's does: not at the checkpoint.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from pathlib import Path

from bench.kafka_events import PARTITIONS
from bench.kafka_fold import Fold
from bench.kafka_ours import UNFINISHED, Checkpoints, faust_app, outputs_of
from bench.kafka_task import Task, told
from services.engine.kafka.batches import Output, RecordBatch, batch_agent, batch_topic

LOOK_S = 0.05
"""How often it looks whether it is let go, or done."""


async def run(task: Task) -> None:
    """Ends when every assigned partition is folded to its end, one with `links` when it is killed."""
    # A batch that waits to be let go must not hold up another worker's joining.
    app = faust_app(task, stream_wait_empty=False)
    links, name = task.options.get("links"), task.options["worker"]
    outputs = await outputs_of(app, task, *([links] if links else []))
    checkpoints = Checkpoints(task, outputs)
    fold = Fold(task.events, task.warm)
    go = Path(task.options["go"])
    done: list[tuple[float, int, int, int]] = []
    ends = dict.fromkeys(range(PARTITIONS), 0)

    @app.on_partitions_assigned.connect
    async def assigned(_: object, partitions: set[object], **__: object) -> None:
        (go.parent / f"{name}.assigned").write_text(str(len(partitions)))

    async def work(batch: RecordBatch) -> Awaitable[None]:
        while not go.exists():
            await asyncio.sleep(LOOK_S)
        partition = checkpoints.of(batch.partition)
        if links:
            partition.end = batch.end
            transitions = [Output(links, r.key, partition.fold_one(fold, r).encode()) for r in batch.records]
            return _both(outputs.send(batch.partition, transitions), checkpoints.joined())
        partition.fold(fold, batch)
        ends[batch.partition] = batch.end
        done.append((time.monotonic(), batch.partition, batch.first, batch.end))
        return checkpoints.joined()

    batch_agent(app, batch_topic(app, task.source), work, UNFINISHED)
    making = asyncio.create_task(checkpoints.run())
    await app.start()
    while not _over(app, ends, task):
        await asyncio.sleep(LOOK_S)
    making.cancel()
    await checkpoints.make()
    await asyncio.sleep(0)
    await app.commit({task.source})
    print(json.dumps({"batches": done}), flush=True)
    await app.stop()


async def _both(first: Awaitable[None], second: Awaitable[None]) -> None:
    await asyncio.gather(first, second)


def _over(app: object, ends: dict[int, int], task: Task) -> bool:
    mine = [tp.partition for tp in app.consumer.assignment() if tp.topic == task.source]  # type: ignore[attr-defined]
    return bool(mine) and all(ends[number] >= task.events // PARTITIONS for number in mine)


if __name__ == "__main__":
    asyncio.run(run(told()))
