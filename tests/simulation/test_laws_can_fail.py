"""Bugs put into the product on purpose: the simulation must see each of them, else its laws say nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ccr_events.envelope import decode_record, fact_of
from services.alerts.receipts import Receipts
from services.alerts.stream import Subscription
from services.engine.sqlite import database
from services.engine.sqlite.case_index import SqliteCaseIndex
from services.engine.sqlite.group import Committed, Group
from services.engine.sqlite.outbox import SqliteOutbox
from services.engine.sqlite.quarantine import SqliteQuarantine
from services.engine.transaction import NewRecord
from services.sealing.keystore import KeyStore
from services.sealing.sealer import Sealer
from services.timer import timer
from services.timer.timer import Timer
from tests.simulation.plan import CALM
from tests.simulation.seed import simulated

CRASHING = replace(CALM, days=3, histories=2, crashes=6.0, lost_answers=0.2, repeated=0.2)
SEEDS = (1, 2, 3, 5)
"""A bug must be seen by one of these."""
COMPARED = (0, 4)
"""Seeds that are compared with a calm run."""


def seen(plan: Any = CRASHING, seeds: Sequence[int] = SEEDS) -> str:
    """What the first seed that sees it says."""
    for seed in seeds:
        outcome = simulated(seed, plan=plan)
        if outcome.violations:
            return "\n".join(outcome.violations)
    return ""


def every(times: int) -> Callable[[], bool]:
    """True at every so many calls."""
    calls = iter(range(1, 1_000_000))
    return lambda: next(calls) % times == 0


def test_without_a_bug_nothing_is_seen() -> None:
    assert [simulated(seed, plan=CRASHING).violations for seed in range(3)] == [(), (), ()]


def test_answered_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = Group.store, every(9)

    def forgotten(self: Group) -> Any:
        if now():
            self._connection.execute("ROLLBACK")
            return Committed([], None)
        return store(self)

    monkeypatch.setattr(Group, "store", forgotten)
    assert "acknowledged" in seen()


def test_a_log_that_is_not_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    on_error = database._closed_on_error

    def careless(connection: sqlite3.Connection, *statements: str) -> sqlite3.Connection:
        return on_error(connection, *(s.replace("synchronous = FULL", "synchronous = OFF") for s in statements))

    monkeypatch.setattr(database, "_closed_on_error", careless)
    found = seen()  # and it does not start
    assert "acknowledged" in found or "which the outbox does not hold" in found


def test_a_deadline_fired_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    fire = Timer._fire

    def twice(self: Timer, tx: Any, deadline: Any, now: Any) -> bool:
        fired = fire(self, tx, deadline, now)
        if fired:
            first = timer.deadline_record(deadline, self._recorded_now(), self._edition_at(now))
            last = "1" if first.fact.id.endswith("0") else "0"
            body = first.body.replace(first.fact.id.encode(), f"{first.fact.id[:-1]}{last}".encode())
            self._append(tx, NewRecord(fact_of(decode_record(body)), body, first.digest))
        return fired

    monkeypatch.setattr(Timer, "_fire", twice)
    assert "fired 2 times" in seen()


def test_a_deadline_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    record = timer.deadline_record
    monkeypatch.setattr(
        timer,
        "deadline_record",
        lambda deadline, now, *a, **k: record(deadline, now - timedelta(hours=3), *a, **k),
    )
    assert "before its time" in seen()


def test_a_transition_that_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    add, now = SqliteOutbox.add, every(10)
    monkeypatch.setattr(SqliteOutbox, "add", lambda self, transitions, **more: add(self, transitions[now() :], **more))
    assert "outbox" in seen()


def test_an_alert_that_is_lost_when_a_subscriber_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    caught_up = Subscription._caught_up

    async def hasty(self: Subscription) -> Any:
        self._position = max(self._position, self._hub.position)
        async for batch in caught_up(self):
            yield batch

    monkeypatch.setattr(Subscription, "_caught_up", hasty)
    assert "missed" in seen()


def test_a_refused_event_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SqliteQuarantine, "hold", lambda self, held: None)
    plan = replace(CRASHING, histories=12)
    assert "quarantine" in seen(plan)


def test_names_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    seal = Sealer.seal_bytes

    def leaking(self: Sealer, scope: str, item: str, label: str, plain: bytes) -> str:
        return seal(self, scope, item, label, plain) + (plain.decode() if label == "VID" else "")

    monkeypatch.setattr(Sealer, "seal_bytes", leaking)
    assert "in clear" in seen()


def test_keys_after_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeyStore, "flush", lambda self: None)  # only written in the end
    assert "opened" in seen()


def test_a_receipt_that_holds_up_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(self: Receipts) -> None:
        raise RuntimeError("nobody sees this")

    monkeypatch.setattr(Receipts, "stop", failing)
    assert "ended by itself" in seen()


def test_a_number_that_is_bound_or_not_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    bind, now = SqliteCaseIndex.bind, every(7)
    monkeypatch.setattr(
        SqliteCaseIndex, "bind", lambda self, number, case_id: None if now() else bind(self, number, case_id)
    )
    assert "when nothing goes wrong" in seen(seeds=COMPARED)
