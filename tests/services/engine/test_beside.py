"""A group runs while the one before is stored: it sees what that wrote, fails with it, and is answered after it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from services.casebook.replay import verify
from services.engine.sqlite import SqliteEngine, open_engine, writer
from services.engine.sqlite.group import Committed, Group
from services.engine.transaction import ReferenceKey, StorageFailed, Transaction
from tests.support.core_rules import BOOK, T0, event_id, fact
from tests.support.records import append_all

Work = Callable[[Transaction], object]


class Held:
    """Holds the store of groups, and lets it go on or fail."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go_on = threading.Event()
        self.fails = False
        self.stored = 0

    def store(self, group: Group, store: Callable[[Group], Committed]) -> Committed:
        self.stored += 1
        self.reached.set()
        assert self.go_on.wait(30)
        if self.fails:
            self.fails = False
            group._roll_back()
            raise StorageFailed("the disk is full")
        return store(group)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """Every group is stored in the other thread, and waits there."""
    holding, store = Held(), Group.store
    monkeypatch.setattr(writer, "LARGE_EVENTS", 0)
    monkeypatch.setattr(Group, "store", lambda group: holding.store(group, store))
    return holding


@asynccontextmanager
async def while_stored(engine: SqliteEngine, held: Held, work: Work) -> AsyncIterator[asyncio.Future[object]]:
    """Inside, `work` has run and is being stored."""
    first = asyncio.ensure_future(engine.writer.write(work))
    await asyncio.to_thread(held.reached.wait, 30)
    yield first
    held.go_on.set()


async def ran(engine: SqliteEngine, work: Work) -> tuple[asyncio.Future[object], list[object]]:
    """The answer to come, and what the work returned already."""
    done, returned = threading.Event(), list[object]()

    def noting(tx: Transaction) -> object:
        try:
            returned.append(work(tx))
        finally:
            done.set()
        return returned[-1]

    answer = asyncio.ensure_future(engine.writer.write(noting))
    await asyncio.to_thread(done.wait, 30)
    return answer, returned


def appending(*numbers: int) -> Work:
    return lambda tx: append_all(tx, [fact(n, "arrest.made", n, case_id=f"case-{n % 3}", dv="yes") for n in numbers])


def look(tx: Transaction) -> object:
    tx.events.expect([event_id(n) for n in (1, 2, 5)])
    view = tx.views.get("case-1")
    link = min(view.links.values(), key=lambda link: link.id)
    return (
        [tx.events.find(event_id(n)) is not None for n in (1, 2, 4, 5)],
        [record.position for record in tx.events.of_case("case-1")],
        sorted(view.facts),
        tx.links.get(link.id) == link,
        len(tx.deadlines.due(T0 + timedelta(days=9), 1_000)),
        tx.deadlines.next_at(),
        tx.cases.case_exists("case-2"),
    )


async def test_what_is_being_stored_is_seen_as_if_it_were(engine: SqliteEngine, held: Held) -> None:
    async with while_stored(engine, held, appending(1, 2, 4)):
        answer, (beside,) = await ran(engine, look)
        assert not answer.done()
        assert await engine.writer.read(lambda tx: tx.events.find(event_id(1))) is None
    assert await answer == beside
    assert await engine.writer.write(look) == beside
    assert await engine.writer.read(look) == beside
    assert beside[0] == [True, True, True, False]  # type: ignore[index]


async def test_a_group_that_ran_beside_is_stored_after_it(engine: SqliteEngine, held: Held) -> None:
    async with while_stored(engine, held, appending(1, 2)) as first:
        answer, returned = await ran(engine, appending(3, 4, 1))
        assert returned == [[3, 4]]
        await asyncio.sleep(0.01)
        assert not first.done()
        assert not answer.done()
        assert held.stored == 1
    assert (await first, await answer) == ([1, 2], [3, 4])
    assert [r.position for r in await engine.log.read(0)] == [1, 2, 3, 4]
    assert [r.event_id for r in await engine.log.read(0)] == [event_id(n) for n in (1, 2, 3, 4)]
    transitions = await engine.alerts.last_seq()
    assert transitions == 12
    assert verify(engine.directory, BOOK).identical


async def test_both_fail_when_the_group_before_fails_and_nothing_is_remembered(
    engine: SqliteEngine, held: Held
) -> None:
    held.go_on.set()
    await engine.writer.write(appending(1))
    held.go_on.clear()
    held.reached.clear()
    held.fails = True
    async with while_stored(engine, held, appending(2, 4)) as first:
        second, returned = await ran(engine, appending(3, 7))
        assert returned == [[4, 5]]
    for answer in (first, second):
        with pytest.raises(StorageFailed, match="the disk is full"):
            await answer
    assert engine.writer.failure is not None
    assert (await engine.writer.write(look))[1] == [1]  # type: ignore[index]
    assert await engine.writer.write(appending(4)) == [2]
    assert engine.writer.failure is None
    assert verify(engine.directory, BOOK).identical


async def test_a_work_that_writes_at_once_waits_for_the_group_before(engine: SqliteEngine, held: Held) -> None:
    number = ReferenceKey("incident_no", "26-1")

    def bind(tx: Transaction) -> object:
        tx.cases.bind(number, "case-1")
        return tx.cases.case_of(number), tx.events.find(event_id(1)) is not None

    async with while_stored(engine, held, appending(1)):
        answer = asyncio.ensure_future(engine.writer.write(bind))
        await asyncio.sleep(0.01)
        assert not answer.done()
    assert await answer == ("case-1", True)


async def test_a_work_that_writes_at_once_fails_with_the_group_before(engine: SqliteEngine, held: Held) -> None:
    held.fails = True
    async with while_stored(engine, held, appending(1)) as first:
        second = asyncio.ensure_future(engine.writer.write(lambda tx: tx.audit.append(b"{}")))
        await asyncio.sleep(0.01)
    for answer in (first, second):
        with pytest.raises(StorageFailed, match="the disk is full"):
            await answer
    assert await engine.writer.write(lambda tx: tx.audit.entries(0, 9)) == []
    assert await engine.writer.write(appending(1)) == [1]


async def test_a_work_that_fails_beside_takes_back_its_own_writes_only(engine: SqliteEngine, held: Held) -> None:
    def fails(tx: Transaction) -> None:
        append_all(tx, [fact(5, "arrest.made", 5, case_id="case-1", dv="yes")])
        raise LookupError("refused")

    async with while_stored(engine, held, appending(1, 4)):
        refused = asyncio.ensure_future(engine.writer.write(fails))
        answer, (beside,) = await ran(engine, look)
    with pytest.raises(LookupError):
        await refused
    assert await answer == beside
    assert beside[1] == [1, 2]  # type: ignore[index]


async def test_closing_waits_for_what_is_being_stored(tmp_path: Path, held: Held) -> None:
    async with open_engine(tmp_path) as engine, while_stored(engine, held, appending(1)) as first:
        second, _ = await ran(engine, appending(2))
    assert await asyncio.gather(first, second) == [[1], [2]]
