"""Deadlines fire at their time, in order, once; after an outage all that passed; a bad one holds up no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from ccr_events.core import ids
from ccr_events.core.model import Fact, Link
from ccr_events.envelope import decode_record, fact_of
from ccr_events.types.backbone import LinkDeadlineReached
from services.casebook.replay import verify
from services.engine.clock import WallClock
from services.engine.ports import Alertable
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import NewRecord, StorageFailed, Transaction
from services.timer import timer as timing
from services.timer.timer import Timer
from tests.support.core_rules import BOOK, HOUR, T0, fact
from tests.support.records import CASEBOOK, append_all, record


class HandClock:
    """Stands still until it is moved, also backwards. Implements `AlarmClock`."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._moved = asyncio.Condition()

    def now(self) -> datetime:
        return self._at

    async def move(self, hours: float) -> None:
        async with self._moved:
            self._at = T0 + hours * HOUR
            self._moved.notify_all()

    async def wait_until(self, at: datetime) -> None:
        async with self._moved:
            await self._moved.wait_for(lambda: self._at >= at)


def rungs(link: Link) -> int:
    return len(BOOK.edition(link.edition).rule(link.rule).ladder)


def timer_of(
    engine: SqliteEngine, clock: HandClock, append: Callable[[Transaction, NewRecord], int] | None = None
) -> Timer:
    return Timer(engine.writer, append or CASEBOOK.append, clock, lambda _: "e1", engine.deadlines, rungs)


@asynccontextmanager
async def running(timer: Timer) -> AsyncIterator[Timer]:
    task = asyncio.ensure_future(timer.run())
    try:
        yield timer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(engine: SqliteEngine, *facts: Fact) -> None:
    await engine.writer.write(lambda tx: append_all(tx, list(facts)))


async def fired(engine: SqliteEngine) -> list[Fact]:
    facts = [fact_of(decode_record(r.body)) for r in await engine.log.read(0, 10_000)]
    return [f for f in facts if f.type == "link.deadline_reached"]


async def eventually(engine: SqliteEngine, count: int) -> list[Fact]:
    """The deadlines fired, once there are so many."""
    while len(found := await fired(engine)) < count:
        await asyncio.sleep(0.002)
    return found


def arrest(number: int, hours: float = 0) -> Fact:
    """Opens three links due after 4 h, each with a ladder of two."""
    return fact(number, "arrest.made", hours, dv="yes", case_id=f"case-{number}")


async def test_a_deadline_is_a_valid_event_of_the_contract(engine: SqliteEngine) -> None:
    await publish(engine, arrest(1))
    clock = HandClock(T0 + 5 * HOUR)
    assert await timer_of(engine, clock).catch_up() == 6
    for f in await fired(engine):
        payload = LinkDeadlineReached.model_validate(dict(f.data))
        assert (f.agency, f.source, f.recorded_at) == ("ccr", "/ccr/timer", clock.now())
        assert f.occurred_at == payload.due_at
        assert f.id == ids.deadline_event_id(payload.link_id, payload.step, payload.due_at)
    assert all(link.overdue and link.escalated_to == 1 for link in await engine.links.links())


async def test_each_fires_at_its_time_and_not_before(engine: SqliteEngine) -> None:
    clock = HandClock(T0)
    await publish(engine, arrest(1))
    async with running(timer_of(engine, clock)):
        await clock.move(3.99)
        await publish(engine, arrest(2, 3))
        assert await fired(engine) == []
        await clock.move(4)
        assert {f.occurred_at for f in await eventually(engine, 6)} == {T0 + 4 * HOUR}
        await clock.move(6)
        assert len(await eventually(engine, 9)) == 9


async def test_an_earlier_deadline_that_comes_later_wakes_the_timer(engine: SqliteEngine) -> None:
    clock = HandClock(T0)
    await publish(engine, arrest(1, 10))
    async with running(timer_of(engine, clock)):
        await clock.move(5)
        await publish(engine, arrest(2, 0))
        assert {f.case_id for f in await eventually(engine, 6)} == {"case-2"}


async def test_after_an_outage_all_that_passed_fires_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "PAGE", 7)
    async with open_engine(tmp_path) as engine:
        await publish(engine, *(arrest(n, n / 3) for n in range(1, 12)))
    async with open_engine(tmp_path) as engine:
        assert await timer_of(engine, HandClock(T0 + 20 * HOUR)).catch_up() == 11 * 9
    async with open_engine(tmp_path) as engine:
        assert await timer_of(engine, HandClock(T0 + 20 * HOUR)).catch_up() == 0
        order = [(f.occurred_at, f.data["link_id"], f.data["step"]) for f in await fired(engine)]
    assert order == sorted(order)
    assert len(set(order)) == 11 * 9
    assert verify(tmp_path, BOOK).identical


async def test_reminders_that_passed_during_an_outage_fire_among_the_others(engine: SqliteEngine) -> None:
    # Ladder climbed at 6 h; reminders 24 h, then 48 h, then 96 h later: 30 h, 78 h, 174 h after the arrest.
    await publish(engine, arrest(1), arrest(2, 40))
    await timer_of(engine, HandClock(T0 + 100 * HOUR)).catch_up()
    found = await fired(engine)
    order = [(f.occurred_at, f.data["link_id"], f.data["step"]) for f in found]
    assert order == sorted(order)
    hours = sorted({(f.case_id, (f.occurred_at - T0) / HOUR) for f in found})
    assert hours == [("case-1", h) for h in (4, 6, 30, 78)] + [("case-2", h) for h in (44, 46, 70)]


async def test_history_alerts_nobody_also_where_its_ladder_was_climbed_long_ago_and_would_be_reminded_of(
    engine: SqliteEngine,
) -> None:
    history = fact(1, "arrest.made", 0, late=1_000, dv="yes")
    await engine.writer.write(lambda tx: CASEBOOK.append(tx, record(history, alerting=False)))
    clock = HandClock(T0 + 1_000 * HOUR)
    assert await timer_of(engine, clock).catch_up() > 0
    told = await alertables(engine)
    assert {a.transition.kind.value for a in told} == {"opened", "overdue", "escalated"}
    await clock.move(10_000)
    assert await timer_of(engine, clock).catch_up() > 0
    assert {a.alerting for a in await alertables(engine)} == {False}


async def test_what_is_still_to_come_of_backfilled_links_alerts(engine: SqliteEngine) -> None:
    history = fact(1, "arrest.made", 0, late=5, dv="yes")
    await engine.writer.write(lambda tx: CASEBOOK.append(tx, record(history, alerting=False)))
    clock = HandClock(T0 + 5 * HOUR)
    await timer_of(engine, clock).catch_up()
    told = await alertables(engine)
    assert {a.alerting for a in told} == {False}
    await clock.move(100)
    await timer_of(engine, clock).catch_up()
    later = (await alertables(engine))[len(told) :]
    assert {a.transition.step for a in later} > {2, 3}
    assert {a.alerting for a in later} == {True}


async def alertables(engine: SqliteEngine) -> list[Alertable]:
    async for page in engine.alerts.follow(0):
        return list(page)
    raise AssertionError


async def test_what_was_done_in_time_never_fires(engine: SqliteEngine) -> None:
    await publish(engine, fact(1, "arrest.made", 0, dv="yes"), fact(2, "jail.booked", 1), fact(3, "risk.screened", 1))
    await publish(engine, fact(4, "referral.advocacy_accepted", 1), fact(5, "victim.release_notified", 2))
    assert await timer_of(engine, HandClock(T0 + 1000 * HOUR)).catch_up() == 0


async def test_the_deadlines_of_a_merged_case_reach_their_links(engine: SqliteEngine) -> None:
    merge = fact(9, "case.merged", 1, agency="ccr", case_id="case-1", into="case-2")
    await publish(engine, arrest(1), merge)
    timer = timer_of(engine, HandClock(T0 + 5 * HOUR))
    assert await timer.catch_up() == 6
    assert timer.health.well
    links = await engine.links.links(case_id="case-2")
    assert len(links) == 3
    assert all(link.overdue for link in links)
    await publish(engine, fact(10, "event.retracted", 2, agency="ccr", case_id="case-1", corrects=9))
    assert all(link.overdue for link in await engine.links.links(case_id="case-1"))
    assert await timer.catch_up() == 0


async def test_a_clock_set_back_fires_nothing_twice(engine: SqliteEngine) -> None:
    clock = HandClock(T0)
    await publish(engine, arrest(1))
    async with running(timer_of(engine, clock)):
        await clock.move(5)
        await eventually(engine, 6)
        await clock.move(1)
        await publish(engine, arrest(2, 0))
        await clock.move(5)
        assert len({f.id for f in await eventually(engine, 12)}) == 12


async def test_a_disk_that_refuses_is_tried_again_and_shows_in_health(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "FIRST_RETRY_S", 0.001)
    refuses = [True]

    def hook() -> None:
        if refuses[0]:
            raise StorageFailed("the disk is full")

    await publish(engine, arrest(1))
    engine.writer.before_commit(hook)
    async with running(timer_of(engine, HandClock(T0 + 5 * HOUR))) as timer:
        while timer.health.failure is None:
            await asyncio.sleep(0.001)
        assert not timer.health.well
        assert "disk is full" in timer.health.failure
        refuses[0] = False
        await eventually(engine, 6)
        while not timer.health.well:
            await asyncio.sleep(0.001)


async def test_a_deadline_that_cannot_be_folded_holds_up_no_other(
    engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "ASIDE_RETRY_S", 0.0)
    broken = [True]

    def append(tx: Transaction, new: NewRecord) -> int:
        if broken[0] and new.fact.case_id == "case-1":
            raise LookupError("no such rule")
        return CASEBOOK.append(tx, new)

    await publish(engine, *(arrest(n) for n in (1, 2, 3)))
    timer = timer_of(engine, HandClock(T0 + 5 * HOUR), append)
    assert await timer.catch_up() == 12
    assert {f.case_id for f in await fired(engine)} == {"case-2", "case-3"}
    assert set((timer.health.aside or {}).values()) == {"LookupError: no such rule"}
    assert await timer.catch_up() == 0
    broken[0] = False
    assert await timer.catch_up() == 6
    assert timer.health.well


async def test_an_event_that_does_not_reach_its_link_is_set_aside_and_not_tried_in_a_circle(
    engine: SqliteEngine,
) -> None:
    await publish(engine, arrest(1), arrest(2))
    link = (await engine.links.links(case_id="case-1"))[0]
    elsewhere = Fact(
        id=ids.deadline_event_id(link.id, 0, link.steps[0].at),
        type="link.deadline_reached",
        agency="ccr",
        case_id="case-2",
        occurred_at=link.steps[0].at,
        recorded_at=T0,
        edition="e1",
        data={"link_id": link.id, "step": 0, "due_at": link.steps[0].at.isoformat()},
    )
    await engine.writer.write(lambda tx: CASEBOOK.append(tx, record(elsewhere)))
    timer = timer_of(engine, HandClock(T0 + 5 * HOUR))
    assert await timer.catch_up() == 11
    assert set(timer.health.aside or {}) == {link.id}


async def test_the_timer_ends_with_the_engine(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        task = asyncio.ensure_future(timer_of(engine, HandClock(T0)).run())
        await asyncio.sleep(0.01)
    await task


async def test_the_wall_clock_waits_until_an_instant() -> None:
    clock = WallClock()
    at = clock.now() + timedelta(milliseconds=20)
    await clock.wait_until(at)
    assert clock.now() >= at
    await clock.wait_until(at)


async def test_the_wall_clock_notices_that_it_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WallClock()
    monkeypatch.setattr("services.engine.clock.LONGEST_NAP_S", 0.005)
    waiting = asyncio.ensure_future(clock.wait_until(clock.now() + 1000 * HOUR))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    real = WallClock.now
    monkeypatch.setattr(WallClock, "now", lambda self: real(self) + 2000 * HOUR)
    await waiting


async def test_a_deadline_that_comes_sooner_without_a_transition_is_kept(engine: SqliteEngine) -> None:
    clock = HandClock(T0 + 1 * HOUR)
    async with running(timer_of(engine, clock)):
        await publish(engine, arrest(1))
        await asyncio.sleep(0.05)  # by now it waits for the fourth hour

        def bring_forward(tx: Transaction) -> None:
            links = list(tx.views.get("case-1").links.values())
            sooner = replace(links[0], steps=(replace(links[0].steps[0], at=T0 + 2 * HOUR), *links[0].steps[1:]))
            tx.links.put("case-1", [sooner])

        await engine.writer.write(bring_forward)
        await clock.move(2.5)
        found = await asyncio.wait_for(eventually(engine, 1), 30)
    assert [f.data["due_at"] for f in found] == [(T0 + 2 * HOUR).isoformat()]


async def test_a_defect_does_not_end_the_timer(engine: SqliteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "FIRST_RETRY_S", 0.001)
    await publish(engine, arrest(1))
    async with running(timer_of(engine, HandClock(T0 + 5 * HOUR))) as timer:
        with monkeypatch.context() as broken:
            broken.setattr(timer, "catch_up", _defective)
            await publish(engine, arrest(2))
            while timer.health.failure is None:
                await asyncio.sleep(0.001)
            assert timer.health.failure == "ZeroDivisionError, a defect"
        await eventually(engine, 12)
        while not timer.health.well:
            await asyncio.sleep(0.001)


async def _defective() -> int:
    raise ZeroDivisionError
