"""The timer is woken by a sooner deadline, by no other, and by none that it has read already."""

from __future__ import annotations

import asyncio

import pytest

from services.engine.sqlite.watch import DeadlineWatch
from services.engine.transaction import EngineClosed
from tests.support.core_rules import HOUR, T0


async def is_woken(waiting: asyncio.Future[None]) -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return waiting.done()


async def test_only_a_sooner_deadline_wakes() -> None:
    watch = DeadlineWatch()
    waiting = asyncio.ensure_future(watch.sooner_than(T0 + 2 * HOUR))
    await asyncio.sleep(0)
    watch.committed(T0 + 2 * HOUR)
    watch.committed(T0 + 9 * HOUR)
    assert not await is_woken(waiting)
    await asyncio.to_thread(watch.committed, T0 + HOUR)
    await waiting


async def test_without_any_deadline_the_first_one_wakes() -> None:
    watch = DeadlineWatch()
    waiting = asyncio.ensure_future(watch.sooner_than(None))
    await asyncio.sleep(0)
    watch.committed(T0 + 9 * HOUR)
    await waiting


async def test_what_was_committed_while_nobody_waited_is_not_missed_and_what_was_read_does_not_wake() -> None:
    watch = DeadlineWatch()
    watch.committed(T0 + HOUR)
    watch.begin()
    watch.committed(T0 + 3 * HOUR)
    watch.committed(T0 + 5 * HOUR)
    await asyncio.wait_for(watch.sooner_than(T0 + 4 * HOUR), 30)
    waiting = asyncio.ensure_future(watch.sooner_than(T0 + 2 * HOUR))
    assert not await is_woken(waiting)
    watch.begin()
    waiting.cancel()
    again = asyncio.ensure_future(watch.sooner_than(T0 + 4 * HOUR))
    assert not await is_woken(again)
    again.cancel()


async def test_who_waits_hears_that_the_engine_closed() -> None:
    watch = DeadlineWatch()
    waiting = asyncio.ensure_future(watch.sooner_than(None))
    await asyncio.sleep(0)
    watch.close()
    with pytest.raises(EngineClosed):
        await waiting
