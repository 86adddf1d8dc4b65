"""Several writers of one store: one after the other, whoever they are, and each sees what the others decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from services.engine.sql import SqlStore, open_store
from services.engine.sql.database import Purpose, open_engine, parsed
from services.engine.transaction import NewRecord, ReferenceKey, StorageFailed, Transaction
from tests.support.core_rules import T0, event_id, fact
from tests.support.records import record
from tests.support.sending import Sent

WRITERS, EVENTS, NUMBERS = 3, 40, 10
"""Events of one writer, and the numbers that all of them use."""


def deciding(number: int, reference: str) -> Callable[[Transaction], str]:
    """As intake does: an event goes where its number points, and points it to a case of its own otherwise."""

    def work(tx: Transaction) -> str:
        assert tx.events.find(event_id(number)) is None
        key = ReferenceKey("incident_no", reference)
        case_id = tx.cases.case_of(key)
        if case_id is None:
            case_id = f"case-{number}"
            tx.cases.add_case(case_id)
            tx.cases.bind(key, case_id)
        newest: datetime = tx.events.newest_recorded_at() or T0  # type: ignore[attr-defined]
        one = fact(number, "call.closed", 0, case_id=case_id, late=(newest - T0).total_seconds() / 3600 + 0.001)
        made: NewRecord = record(one)
        assert made.fact.recorded_at > newest
        tx.events.append(made)
        return case_id

    return work


async def test_a_number_leads_to_one_case_whoever_brings_it_first(address: str) -> None:
    ways = [Sent() for _ in range(WRITERS)]
    order: list[str] = []
    for way in ways:
        way.records = Appended(order)  # type: ignore[assignment]
    async with AsyncExitStack() as opened:
        stores = [await opened.enter_async_context(open_store(address, way)) for way in ways]

        async def one(writer: int, n: int) -> tuple[str, str]:
            reference = f"26-{n % NUMBERS}"
            return reference, await stores[writer].writer.write(deciding(writer * EVENTS + n + 1, reference))

        decided = await asyncio.gather(*(one(w, n) for n in range(EVENTS) for w in range(WRITERS)))
        cases = {reference: {case for r, case in decided if r == reference} for reference, _ in decided}
        assert {len(found) for found in cases.values()} == {1}
        log = await stores[0].log.read(0, 1000)
        assert [r.position for r in log] == list(range(1, WRITERS * EVENTS + 1))
        assert order == [r.event_id for r in log]  # sent as they were committed, across writers


class Appended(list[Any]):
    """Notes the order in which several senders are sent records."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order = order

    def __iadd__(self, records: Any) -> Appended:  # type: ignore[misc,override]
        self._order += [r.event_id for r in records]
        return self


async def test_the_chain_of_the_audit_log_has_one_end(address: str) -> None:
    async with open_store(address) as one, open_store(address) as other:
        await asyncio.gather(
            *(s.writer.write(lambda tx, n=n: tx.audit.append(b"%d" % n)) for n in range(30) for s in (one, other))
        )
        entries = await one.writer.read(lambda tx: tx.audit.entries(0, 100))
    assert [number for number, _, _ in entries] == list(range(1, 61))
    assert len({head for _, head, _ in entries}) == 60


def ended(address: str, but: str = "") -> None:
    """End every connection to the database, as a restart of the server would."""
    purpose = Purpose("a test", RuntimeError)
    engine = open_engine(parsed(address, purpose), purpose)
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query NOT LIKE :but"
            ),
            {"but": but},
        )
    engine.dispose()


async def test_a_lost_connection_is_told_and_made_again(postgresql_address: str, sent: Sent) -> None:
    async with open_store(postgresql_address, sent) as store:
        await store.writer.write(deciding(1, "26-1"))
        ended(postgresql_address)
        with pytest.raises(StorageFailed, match="the database refused"):
            await store.writer.write(deciding(2, "26-1"))
        assert await store.writer.write(deciding(3, "26-1")) == "case-1"
        assert await store.writer.read(lambda tx: tx.cases.case_exists("case-1"))
        assert [r.event_id for r in await store.log.read(0)] == [event_id(1), event_id(3)]
    assert sent.ids == [event_id(1), event_id(3)]


async def test_a_connection_lost_while_sending_lets_the_next_one_in(postgresql_address: str, sent: Sent) -> None:
    """As when a process sleeps too long in its turn: its events are sent by the next one, and by itself again."""
    sleeper = Sent()
    sleeper.open.clear()
    async with open_store(postgresql_address, sleeper) as asleep, open_store(postgresql_address, sent) as awake:
        answer = asyncio.ensure_future(asleep.writer.write(deciding(1, "26-1")))
        await asyncio.to_thread(sleeper.reached.wait, 30)
        other = asyncio.ensure_future(awake.writer.write(deciding(2, "26-1")))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(other), 0.2)  # it waits for its turn
        ended(postgresql_address, but="%pg_advisory_lock%")
        assert await other == "case-1"
        sleeper.open.set()
        assert await answer == "case-1"
        assert await asleep.writer.write(deciding(3, "26-1")) == "case-1"
    assert sent.ids == [event_id(1), event_id(2)]
    assert sleeper.ids == [event_id(1), event_id(3)]


async def test_who_sleeps_in_its_turn_is_let_go_by_the_server(
    postgresql_address: str, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.engine.sql import turn

    monkeypatch.setattr(turn, "SILENT_S", 0.3)
    sleeper = Sent()
    sleeper.open.clear()
    async with open_store(postgresql_address, sleeper) as asleep, open_store(postgresql_address, sent) as awake:
        answer = asyncio.ensure_future(asleep.writer.write(deciding(1, "26-1")))
        await asyncio.to_thread(sleeper.reached.wait, 30)
        assert await awake.writer.write(deciding(2, "26-1")) == "case-1"
        sleeper.open.set()
        assert await answer == "case-1"
    assert sent.ids == [event_id(1), event_id(2)]


async def test_a_writer_that_waits_too_long_says_why(address: str, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.engine.sql import database, turn

    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 1)
    monkeypatch.setattr(turn, "LOCK_TIMEOUT_S", 0.1)
    holder = Sent()
    holder.open.clear()
    async with open_store(address, holder) as one, open_store(address, sent) as other:
        answer = asyncio.ensure_future(one.writer.write(deciding(1, "26-1")))
        await asyncio.to_thread(holder.reached.wait, 30)
        with pytest.raises(StorageFailed, match="did not give up its turn"):
            await other.writer.write(deciding(2, "26-1"))
        holder.open.set()
        await answer
        assert await other.writer.write(deciding(2, "26-1")) == "case-1"


async def test_what_another_writer_changed_is_not_answered_from_memory(address: str) -> None:
    async with open_store(address, Sent()) as one, open_store(address, Sent()) as other:
        key = ReferenceKey("incident_no", "26-1")
        asked: Callable[[SqlStore], Any] = lambda s: s.writer.write(  # noqa: E731
            lambda tx: (tx.cases.case_of(key), tx.cases.dyad_case("s", "v"), tx.cases.forward_of("case-1"))
        )
        assert await asked(one) == (None, None, "case-1")

        def change(tx: Transaction) -> None:
            tx.cases.bind(key, "case-1")
            tx.cases.bind_dyad("s", "v", "case-1")
            tx.cases.set_forward("case-1", "case-2")

        await other.writer.write(change)
        assert await asked(one) == ("case-1", "case-1", "case-2")
        assert await asked(one) == ("case-1", "case-1", "case-2")
        await other.writer.write(lambda tx: tx.cases.set_forward("case-1", None))
        assert await asked(one) == ("case-1", "case-1", "case-1")
