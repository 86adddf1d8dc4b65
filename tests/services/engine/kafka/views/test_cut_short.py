"""Restoring that is cut short lets the file go whole, and the next one goes on from there."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from services.engine.kafka.batches.records import FetchedRecords
from services.engine.kafka.views import Refolding, open_partition, restore, restoring
from services.engine.kafka.views.threads import begun, ended
from tests.services.engine.kafka.views.pretended import Log, PretendedConsumer, reader_of
from tests.support.case_views import view_with

EVENTS = Refolding(lambda view, record: view, "events")


async def test_whoever_is_cancelled_waits_until_the_thread_has_let_go() -> None:
    going, go_on = threading.Event(), threading.Event()

    def work() -> None:
        going.set()
        go_on.wait(20)

    task = begun(work)
    waiting = asyncio.create_task(ended(task))
    await asyncio.to_thread(going.wait, 20)
    waiting.cancel()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert task.done()


async def test_the_next_one_goes_on_where_it_was_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = {"views": Log(), "events": Log()}
    first = open_partition(tmp_path / "first", 0, epoch=1, topic="views")
    for number in range(9):
        first.put(view_with(f"case {number}", 1))
    for key, value in first.checkpoint(20).records:
        logs["views"].append(key, value)
    first.close()
    reached = asyncio.Event()

    async def stuck(
        self: PretendedConsumer, part: TopicPartition, timeout_ms: int
    ) -> dict[TopicPartition, list[FetchedRecords]]:
        if await self.position(part) >= 6:
            reached.set()
            await asyncio.sleep(60)
        return await fetch(self, part, timeout_ms)

    fetch = PretendedConsumer.getmany
    monkeypatch.setattr(restoring, "reader", reader_of(logs))
    views = open_partition(tmp_path / "second", 0, epoch=1, topic="views")
    with monkeypatch.context() as while_stuck:
        while_stuck.setattr(PretendedConsumer, "getmany", stuck)
        cut = asyncio.create_task(restore(views, "", refolding=EVENTS))
        await reached.wait()
        cut.cancel()
        with suppress(asyncio.CancelledError):
            await cut
    views.close()
    views = open_partition(tmp_path / "second", 0, epoch=1, topic="views")
    found = await restore(views, "", refolding=EVENTS)
    assert (found.views, found.read, found.offset, found.set_aside) == (9, 4, 20, None)
    assert [views.get(f"case {number}") for number in range(9)] == [view_with(f"case {n}", 1) for n in range(9)]
    views.close()
