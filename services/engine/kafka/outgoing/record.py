"""An accepted event as a record of `ccr.events`."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from services.engine.kafka.topics.catalogue import MAX_RECORD_BYTES

ALERTING = "alerting"
"""Header that is there, and `SILENT`, only on backfilled history: absent means that it may alert."""
SILENT = b"0"


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


def fits(record: EventRecord) -> bool:
    """Whether a batch that holds only this record is within the topic's limit."""
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(record.key, record.value, list(record.headers))
    return size <= MAX_RECORD_BYTES
