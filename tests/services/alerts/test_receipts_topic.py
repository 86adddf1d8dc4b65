"""Receipts on their topic: each where its case is, as intake reads events, and accepted once they are there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ccr_events.envelope import read_http
from services.alerts.receipts_topic import ReceiptsTopic
from services.engine.kafka.outgoing import EventRecord, NotSent
from services.engine.ports import Submission
from tests.support.doors import an_event


async def test_what_was_written_can_be_read_as_it_was_and_is_told_as_accepted() -> None:
    written: list[EventRecord] = []
    events = [an_event(n, "link.notified", case_id=f"case-{n}") for n in (1, 2)]
    receipts = await ReceiptsTopic(written.extend).submit([Submission(e, "ccr", "receipts") for e in events])
    assert [(r.event_id, r.status, r.case_id) for r in receipts] == [(e.id, "accepted", e.case_id) for e in events]
    assert [record.key for record in written] == [b"case-1", b"case-2"]
    headers = {"content-type": "application/cloudevents+json"}
    assert [event for record in written for event in read_http(headers, record.value)] == events


async def test_what_was_not_written_is_no_receipt() -> None:
    def refusing(records: Sequence[EventRecord]) -> None:
        raise NotSent("Kafka does not answer")

    with pytest.raises(NotSent):
        await ReceiptsTopic(refusing).submit([Submission(an_event(1, "link.notified"), "ccr", "receipts")])
