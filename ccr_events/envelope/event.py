"""One event as an adapter publishes it, and what is wrong when it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event as an adapter publishes it: CloudEvents 1.0 attributes, read, and `data` still raw JSON."""

    id: str
    """UUID, canonical lower-case text."""
    source: str
    """URI reference of the publishing system."""
    type: str
    occurred_at: datetime
    """CloudEvents `time`, UTC."""
    data: dict[str, Any] = field(repr=False)
    schema_version: int = 1
    """Version of the payload schema (attribute `schemaver`)."""
    subject: str | None = None
    case_id: str | None = None
    """Case the publisher already knows it belongs to (attribute `caseid`); otherwise intake resolves it."""
    corrects: str | None = None
    """Id of the event this one replaces."""
    causation_id: str | None = None
    correlation_id: str | None = None
    policy_ref: str | None = None
    """Written policy that required the act (attribute `policyref`)."""
    traceparent: str | None = None
    """W3C trace context."""


class EnvelopeError(ValueError):
    """An event, a batch or a request that cannot be read. Neither text nor repr repeats a submitted value."""

    def __init__(self, pointer: str, message: str, *, body: bytes | None = None) -> None:
        super().__init__(f"{pointer or '/'}: {message}")
        self.pointer = pointer
        """JSON pointer into the event, for example `/time`; empty for the whole event or request."""
        self.message = message
        """What is wrong and what to do."""
        self.body = body
        """The bytes of the batch item that failed, so that it can be quarantined; None outside batches."""
