"""An accepted event as a record of `ccr.events`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import orjson
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.engine.kafka.topics.catalogue import MAX_EVENT_RECORD_BYTES
from services.engine.transaction import NewRecord, RecordTooLarge

ALERTING = "alerting"
"""Header that is there, and `SILENT`, only on backfilled history: absent means that it may alert."""
SILENT = b"0"
_SURELY_CARRIED = MAX_EVENT_RECORD_BYTES // 16
"""A smaller record can be carried whatever characters it has: escaping makes it four times as long."""
_CARRYING = 4_096
"""What the event that carries another one has besides it, at most."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Key, value and headers."""

    key: bytes
    """The case id, UTF-8."""
    value: bytes = field(repr=False)
    """The log form of the event (`ccr_events.envelope.encode_record`)."""
    headers: tuple[tuple[str, bytes], ...] = ()


def event_record(case_id: str, body: bytes, *, alerting: bool) -> EventRecord:
    """The record of an event whose log form is `body`."""
    return EventRecord(case_id.encode(), body, () if alerting else ((ALERTING, SILENT),))


def check_size(new: NewRecord) -> None:
    """Called before it is appended to the store: once it is committed it must be sent. Raises `RecordTooLarge`.

    Also for one that could be sent, but not be carried to another case by a merge, where it stands as JSON in JSON.
    """
    record = event_record(new.fact.case_id, new.body, alerting=new.alerting)
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key, record.value, list(record.headers))
    if size > _SURELY_CARRIED:
        size = max(size, len(orjson.dumps(json.dumps(new.fact.data))) + _CARRYING)
    if size > MAX_EVENT_RECORD_BYTES:
        raise RecordTooLarge(
            f"is too large for the log: {size:,} bytes of at most {MAX_EVENT_RECORD_BYTES:,}, once it is sealed; say "
            "less in one event, or say it in several, then redrive"
        )
