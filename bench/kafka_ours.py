"""Ours: a Faust agent on the batch transport that keeps its state the way the product's casebook does.

Ready views in memory; at a checkpoint, about each second, the newest of those that changed go to the changelog, and
when they are acknowledged to a local file of the partition with the input's offset; only then do the input's batches
count as done, so that the committed offset is the checkpoint's.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.kafka_fold import Fold, View
from bench.kafka_task import Task, told
from services.engine.kafka.batches import (
    Output,
    Outputs,
    OversizedRecord,
    RecordBatch,
    batch_agent,
    batch_topic,
    broker_url,
    read_limits,
)

CHECKPOINT_S = 1.0
"""A checkpoint is made so often."""
MOST_BATCHES = 192
"""Or when so many batches have gathered."""
UNFINISHED = 256
"""Batches that may wait for a checkpoint; then the agent waits. More than gather, so that folding goes on meanwhile."""
COMMIT_S = 0.5
"""How often Faust commits what is acknowledged."""


class LocalStore:
    """A partition's views and the input's offset behind them, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._store = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # As services/engine/kafka/views has it: what a power cut takes is read from the changelog again.
        self._store.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE views (case_id BLOB PRIMARY KEY, view BLOB NOT NULL) WITHOUT ROWID;"
            "CREATE TABLE position (next INTEGER NOT NULL); INSERT INTO position VALUES (0);"
        )

    def write(self, views: list[tuple[bytes, bytes]], offset: int) -> None:
        """All of a checkpoint, in one transaction."""
        self._store.execute("BEGIN")
        self._store.executemany("INSERT OR REPLACE INTO views VALUES (?, ?)", views)
        self._store.execute("UPDATE position SET next = ?", (offset,))
        self._store.execute("COMMIT")


class Partition:
    """What one partition's cases have become."""

    def __init__(self, path: Path) -> None:
        self.views: dict[bytes, View] = {}
        self.changed: dict[bytes, View] = {}
        self.end = 0
        self.store = LocalStore(path)

    def fold(self, fold: Fold, batch: RecordBatch) -> None:
        """Fold a batch, in order."""
        views, changed = self.views, self.changed
        for record in batch.records:
            key = record.key
            views[key] = changed[key] = fold(views.get(key), record.value)  # type: ignore[index, arg-type]
        self.end = batch.end

    def dirty(self) -> tuple[list[tuple[bytes, bytes]], int]:
        """The newest views that changed since, encoded, and the offset behind them."""
        changed, self.changed = self.changed, {}
        return [(key, orjson.dumps(view)) for key, view in changed.items()], self.end


class Checkpoints:
    """Makes what was folded durable, all partitions together."""

    def __init__(self, task: Task, outputs: Outputs) -> None:
        self._task, self._outputs = task, outputs
        self._partitions: dict[int, Partition] = {}
        self._batches = 0
        self._closing = False
        self._due = asyncio.Event()
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def of(self, partition: int) -> Partition:
        """A partition's state."""
        if partition not in self._partitions:
            path = Path(self._task.directory) / f"{partition}-{time.monotonic_ns()}.db"
            self._partitions[partition] = Partition(path)
        return self._partitions[partition]

    def joined(self) -> Awaitable[None]:
        """One more batch was folded; wait for this, and it is durable."""
        self._batches += 1
        if self._batches >= MOST_BATCHES:
            self._due.set()
        return self._next

    def close(self) -> None:
        """Make one more, then end."""
        self._closing = True
        self._due.set()

    async def run(self) -> None:
        """Make them until closed. Raises what kept one from being made; its batches are then never done."""
        last = False
        while not last:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECKPOINT_S):
                    await self._due.wait()
            last = self._closing
            self._due.clear()
            await self._made()

    async def _made(self) -> None:
        settled, self._next = self._next, asyncio.get_running_loop().create_future()
        self._batches = 0
        taken = [(number, each, each.dirty()) for number, each in self._partitions.items() if each.changed]
        await asyncio.gather(*(self._settled(number, each, *dirty) for number, each, dirty in taken))
        settled.set_result(None)

    async def _settled(self, number: int, each: Partition, dirty: list[tuple[bytes, bytes]], end: int) -> None:
        target = self._task.target
        await self._outputs.send(number, [Output(target, key, view) for key, view in dirty])
        await asyncio.to_thread(each.store.write, dirty, end)


def faust_app(task: Task, **more: Any) -> Any:
    """A Faust app on the batch transport."""
    import faust

    settings = {
        "datadir": task.directory,
        "web_enabled": False,
        "topic_disable_leader": True,
        "broker_commit_interval": COMMIT_S,
        "producer_max_batch_size": 512 * 1024,
    }
    return faust.App(task.name, broker=broker_url(task.bootstrap), **{**settings, **more})


async def outputs_of(app: Any, task: Task) -> Outputs:
    """What sends outputs through an app's producer."""
    limits = await read_limits(task.bootstrap, [task.target])
    return Outputs(lambda: app.producer._ensure_producer(), limits, refused)


async def refused(record: OversizedRecord) -> None:
    """No view of the bench is that large."""
    raise AssertionError(record)


async def run(task: Task) -> None:
    """Fold the whole topic; ends with the last checkpoint made and its offset committed."""
    most = {"broker_max_poll_records": int(task.options["at_once"])} if "at_once" in task.options else {}
    app = faust_app(task, **most)
    checkpoints = Checkpoints(task, await outputs_of(app, task))
    fold, over = Fold(task.events, task.warm), asyncio.Event()

    async def work(batch: RecordBatch) -> Awaitable[None]:
        checkpoints.of(batch.partition).fold(fold, batch)
        if fold.done:
            over.set()
        return checkpoints.joined()

    batch_agent(app, batch_topic(app, task.source), work, UNFINISHED)
    async with asyncio.TaskGroup() as together:
        making = together.create_task(checkpoints.run())
        await app.start()
        await over.wait()
        checkpoints.close()
        await making
        # The batches are acknowledged by tasks that wake only now.
        await asyncio.sleep(0)
        await app.commit({task.source})
        fold.tell(changelog=task.target)
        await app.stop()


if __name__ == "__main__":
    # As `ccr worker casebook` runs.
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(told()))
