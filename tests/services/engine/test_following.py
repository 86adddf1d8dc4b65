"""Everybody who follows hears of every transition, once, in order, from wherever they begin."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import monotonic

import pytest

from services.engine import following
from services.engine.ports import Alertable
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import EngineClosed
from tests.support.core_rules import fact
from tests.support.records import append_all


async def publish(engine: SqliteEngine, *numbers: int) -> None:
    facts = [fact(n, "arrest.made", n, case_id=f"case-{n}", dv="yes") for n in numbers]
    await engine.writer.write(lambda tx: append_all(tx, facts))


async def heard(engine: SqliteEngine, after: int, until: int) -> list[Alertable]:
    found: list[Alertable] = []
    async for page in engine.alerts.follow(after):
        assert 0 < len(page) <= following.PAGE
        found += page
        if found[-1].seq >= until:
            return found
    raise AssertionError("following never ends by itself")


async def test_followers_hear_everything_committed_after_they_begin(engine: SqliteEngine) -> None:
    early = asyncio.ensure_future(heard(engine, 0, 30))
    await asyncio.sleep(0)
    for n in range(1, 11):
        await publish(engine, n)
    assert [a.seq for a in await early] == list(range(1, 31))
    assert await engine.alerts.last_seq() == 30
    assert [a.seq for a in await heard(engine, 27, 30)] == [28, 29, 30]


async def test_memory_and_disk_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RECENT", 10)
    monkeypatch.setattr(following, "PAGE", 4)
    async with open_engine(tmp_path) as engine:
        await publish(engine, *range(1, 12))
        live = await heard(engine, 0, 33)
        remembered = await heard(engine, 25, 33)
    async with open_engine(tmp_path) as engine:
        again = await heard(engine, 0, 33)
    assert live == again
    assert remembered == again[25:]
    assert [a.seq for a in again] == list(range(1, 34))


async def test_backfilled_history_is_marked(engine: SqliteEngine) -> None:
    from tests.support.records import CASEBOOK, record

    silent = record(fact(1, "arrest.made", 1, dv="yes"), alerting=False)
    await engine.writer.write(lambda tx: CASEBOOK.append(tx, silent))
    assert {a.alerting for a in await heard(engine, 0, 3)} == {False}


async def test_who_waits_hears_that_the_engine_closed(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        waiting = asyncio.ensure_future(heard(engine, 0, 1))
        await asyncio.sleep(0)
    with pytest.raises(EngineClosed):
        await waiting


async def test_an_alert_says_when_it_was_committed_until_it_is_read_from_the_disk(tmp_path: Path) -> None:
    before = monotonic()
    async with open_engine(tmp_path) as engine:
        await publish(engine, 1)
        for alertable in await heard(engine, 0, 3):
            assert alertable.committed_s is not None
            assert before <= alertable.committed_s <= monotonic()
    async with open_engine(tmp_path) as engine:
        assert {a.committed_s for a in await heard(engine, 0, 3)} == {None}
