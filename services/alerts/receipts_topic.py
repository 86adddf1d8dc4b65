"""Delivery receipts written to a topic, by who delivers alerts and may not append to the log.

Intake takes them in from there (`services.intake.inbound`), so alerts go out while intake rests, and their receipts
wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import orjson

from ccr_events.envelope import Event, write_structured
from services.engine.kafka.outgoing import EventRecord
from services.engine.ports import Receipt, Submission


class ReceiptsTopic:
    """Implements `services.engine.ports.Publisher` for `services.alerts.receipts.Receipts`."""

    def __init__(self, write: Callable[[Sequence[EventRecord]], None]) -> None:
        """`write` returns once all replicas in sync have the records, and raises when they may not."""
        self._write = write

    async def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Write them; accepted means that they are on the topic."""
        await asyncio.to_thread(self._write, [_record(each.event) for each in submissions])
        return [Receipt(each.event.id, "accepted", each.event.case_id) for each in submissions]


def _record(event: Event) -> EventRecord:
    return EventRecord((event.case_id or "").encode(), orjson.dumps(write_structured(event)))
