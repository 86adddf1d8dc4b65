"""Whoever follows hears of every transition, once, in order, whichever process brought it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from services.engine.ports import Alertable
from services.engine.sql import SqlStore, hearing, open_store
from services.engine.transaction import EngineClosed
from tests.support.casebooks import LINKS, Casebooks
from tests.support.core_rules import fact


def books() -> Casebooks:
    made = Casebooks()
    for n in range(1, 31):
        made.accept(fact(n, "arrest.made", n, dv="yes"))
    made.fold_all(Random(1))
    return made


MADE = books()
TOLD = MADE.links["case-1"]


def bring(store: SqlStore, first: int, end: int) -> None:
    store.projection.project_transitions(TOLD[first:end], topic=LINKS, partition=0, upto=end)


async def heard(store: SqlStore, after: int, until: int) -> list[Alertable]:
    found: list[Alertable] = []
    async for page in store.alerts.follow(after):
        found += page
        if found[-1].seq >= until:
            return found
    raise AssertionError("following never ends by itself")


async def test_what_this_process_brings_is_heard_at_once(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    early = asyncio.ensure_future(heard(store, 0, 40))
    await asyncio.sleep(0)
    for first in range(0, 40, 4):
        await asyncio.to_thread(bring, store, first, first + 4)
    found = await early
    assert [a.seq for a in found] == list(range(1, 41))
    assert [a.transition for a in found] == [t.transition for t in TOLD[:40]]
    assert all(a.committed_s is not None for a in found)
    assert [a.seq for a in await heard(store, 37, 40)] == [38, 39, 40]


async def test_what_another_process_brings_is_heard_without_asking(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LOOK_S", 3600.0)  # told, not looked up
    async with open_store(address) as one, open_store(address) as other:
        waiting = asyncio.ensure_future(heard(other, 0, 20))
        for n in range(20):
            await asyncio.to_thread(bring, one, n, n + 1)
        assert [a.seq for a in await waiting] == list(range(1, 21))
        await asyncio.to_thread(bring, other, 20, 30)
        await asyncio.to_thread(bring, one, 30, 40)
        for store in (one, other):
            assert [a.transition for a in await heard(store, 0, 40)] == [t.transition for t in TOLD[:40]]


async def test_a_word_that_was_lost_is_made_up_for(postgresql_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LOOK_S", 0.05)
    monkeypatch.setattr("services.engine.sql.projecting.CHANNEL", "nobody_listens")
    async with open_store(postgresql_address) as one, open_store(postgresql_address) as other:
        waiting = asyncio.ensure_future(heard(other, 0, 5))
        await asyncio.to_thread(bring, one, 0, 5)
        assert [a.seq for a in await waiting] == [1, 2, 3, 4, 5]


async def test_a_follower_begins_anywhere_also_before_what_is_in_memory(address: str) -> None:
    async with open_store(address) as store:
        await asyncio.to_thread(bring, store, 0, 30)
    async with open_store(address) as store:
        assert [a.seq for a in await heard(store, 10, 30)] == list(range(11, 31))
        await asyncio.to_thread(bring, store, 30, 40)
        assert [a.seq for a in await heard(store, 25, 40)] == list(range(26, 41))
        assert [a.seq for a in await heard(store, 35, 40)] == list(range(36, 41))


async def test_who_waits_hears_that_the_store_closed(address: str) -> None:
    async with open_store(address) as store:
        waiting = asyncio.ensure_future(heard(store, 0, 1))
        await asyncio.sleep(0)
    with pytest.raises(EngineClosed):
        await waiting
    with pytest.raises(EngineClosed):
        await store.writer.read(lambda tx: tx.events.find("x"))
    with pytest.raises(EngineClosed):
        await store.writer.write(lambda tx: tx.events.get("x"))
