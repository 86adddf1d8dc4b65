"""Delivery receipts: one per link, agency and step, whoever listens and however often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ccr_events.core.ids import notified_event_id
from ccr_events.core.model import TransitionKind
from ccr_events.validation import validate
from services.alerts import receipts as module
from services.alerts.frame import Alert, alert
from services.alerts.receipts import KEY_ID, MAX_BATCH, Receipts
from services.engine.ports import Alertable
from tests.support.core_rules import BOOK
from tests.support.fakes import NOW, KeepingDoor, StandingClock, transition


def an_alert(number: int, kind: TransitionKind = TransitionKind.OPENED, *, to: str = "jail", step: int = 0) -> Alert:
    return alert(Alertable(number, transition(number, kind, to=(to, "desk"), step=step), NOW, True), BOOK)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER_S", 0.0)
    monkeypatch.setattr(module, "RETRY_S", (0.0, 0.0, 0.0))


@asynccontextmanager
async def receipts_at(door: KeepingDoor) -> AsyncIterator[Receipts]:
    receipts = Receipts(door, door, StandingClock())
    receipts.start()
    try:
        yield receipts
    finally:
        await receipts.stop()


async def test_alert_that_asks_something_of_its_addressee_is_receipted_once() -> None:
    door = KeepingDoor()
    async with receipts_at(door) as receipts:
        receipts.sent("jail", [an_alert(1), an_alert(1), an_alert(2, TransitionKind.ESCALATED, step=2)])
        receipts.sent("jail", [an_alert(1)])
        receipts.sent("ccr", [an_alert(3)])  # seen by, not addressed to
        receipts.sent("jail", [an_alert(4, TransitionKind.NOTIFIED), an_alert(5, TransitionKind.SATISFIED)])
    assert [s.event.data["step"] for s in door.submitted] == [0, 2]
    first = door.submitted[0]
    link = transition(1).link
    assert (first.agency, first.key_id, first.event.case_id) == ("ccr", KEY_ID, link.case_id)
    assert first.event.id == notified_event_id(link.id, "jail", 0)
    validate("link.notified", 1, first.event.data)


async def test_receipt_on_the_log_is_not_given_again_after_a_restart() -> None:
    door = KeepingDoor()
    for _ in range(2):
        async with receipts_at(door) as receipts:
            receipts.sent("jail", [an_alert(1)])
    assert len(door.submitted) == 1


async def test_receipts_go_in_bounded_batches() -> None:
    door = KeepingDoor()
    async with receipts_at(door) as receipts:
        receipts.sent("jail", [an_alert(n) for n in range(1, MAX_BATCH + 51)])
    assert sum(door.batches) == MAX_BATCH + 50
    assert max(door.batches) <= MAX_BATCH


async def test_door_that_fails_is_tried_again_and_given_up_at_last(caplog: pytest.LogCaptureFixture) -> None:
    door = KeepingDoor(failures=[RuntimeError("x"), RuntimeError("x")])
    async with receipts_at(door) as receipts:
        receipts.sent("jail", [an_alert(1)])
        while door.failures:
            await asyncio.sleep(0)
    assert len(door.submitted) == 1
    door = KeepingDoor(failures=[RuntimeError("x")] * 3)
    async with receipts_at(door) as receipts:
        receipts.sent("jail", [an_alert(1)])
        while door.failures:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
        receipts.sent("jail", [an_alert(2)])
    assert [s.event.data["link_id"] for s in door.submitted] == [transition(2).link.id]
    assert "given up so far: 1" in caplog.text


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "MAX_PENDING", 2)
    door = KeepingDoor()
    async with receipts_at(door) as receipts:
        receipts.sent("jail", [an_alert(1), an_alert(2), an_alert(3)])
    assert len(door.submitted) == 2
    assert "given up" in caplog.text
