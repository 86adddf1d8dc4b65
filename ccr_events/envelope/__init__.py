"""CloudEvents 1.0 in and out, the log form of an event, and log form → `Fact`.

`event` values · `bounded_json` bytes to JSON · `attributes` what each attribute must be · `wire` the three
HTTP modes · `recorded` the log form.
"""

from __future__ import annotations

from ccr_events.envelope.bounded_json import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_DEPTH, MAX_EVENT_BYTES
from ccr_events.envelope.event import EnvelopeError, Event
from ccr_events.envelope.recorded import (
    decode_record,
    encode_record,
    fact_of,
    read_fact,
    recorded_form,
    transition_event,
)
from ccr_events.envelope.wire import BATCH, STRUCTURED, read_http, read_structured, write_structured

__all__ = [
    "BATCH",
    "MAX_BATCH_BYTES",
    "MAX_BATCH_EVENTS",
    "MAX_DEPTH",
    "MAX_EVENT_BYTES",
    "STRUCTURED",
    "EnvelopeError",
    "Event",
    "decode_record",
    "encode_record",
    "fact_of",
    "read_fact",
    "read_http",
    "read_structured",
    "recorded_form",
    "transition_event",
    "write_structured",
]
