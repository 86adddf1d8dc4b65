"""Ours as a worker of a group: it waits until it is let go, and tells which batch it folded when."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from pathlib import Path

import uvloop

from bench.kafka_events import PARTITIONS
from bench.kafka_fold import Fold
from bench.kafka_ours import UNFINISHED, Checkpoints, faust_app, outputs_of
from bench.kafka_task import Task, told
from services.engine.kafka.batches import RecordBatch, batch_agent, batch_topic

LOOK_S = 0.05
"""How often it looks whether it is let go, or done."""


async def run(task: Task) -> None:
    """Ends when every assigned partition is folded to its end."""
    # A batch that waits to be let go must not hold up another worker's joining.
    app = faust_app(task, stream_wait_empty=False)
    checkpoints = Checkpoints(task, await outputs_of(app, task))
    fold = Fold(task.events, task.warm)
    go, name = Path(task.options["go"]), task.options["worker"]
    done: list[tuple[float, int, int, int]] = []
    ends = dict.fromkeys(range(PARTITIONS), 0)

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def assigned(_: object, partitions: set[object], **__: object) -> None:
        (go.parent / f"{name}.assigned").write_text(str(len(partitions)))

    async def work(batch: RecordBatch) -> Awaitable[None]:
        while not go.exists():
            await asyncio.sleep(LOOK_S)
        checkpoints.of(batch.partition).fold(fold, batch)
        ends[batch.partition] = batch.end
        done.append((time.monotonic(), batch.partition, batch.first, batch.end))
        return checkpoints.joined()

    batch_agent(app, batch_topic(app, task.source), work, UNFINISHED)
    async with asyncio.TaskGroup() as together:
        making = together.create_task(checkpoints.run())
        await app.start()
        while not _over(app, ends, task):
            await asyncio.sleep(LOOK_S)
        checkpoints.close()
        await making
        await asyncio.sleep(0)
        await app.commit({task.source})
        print(json.dumps({"batches": done}), flush=True)
        await app.stop()


def _over(app: object, ends: dict[int, int], task: Task) -> bool:
    mine = [tp.partition for tp in app.consumer.assignment() if tp.topic == task.source]  # type: ignore[attr-defined]
    return bool(mine) and all(ends[number] >= task.events // PARTITIONS for number in mine)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(told()))
