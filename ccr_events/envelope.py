"""placeholder until the envelope lands"""
from __future__ import annotations
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One event as an adapter publishes it: CloudEvents 1.0 attributes, read, and `data` still raw JSON."""

    id: str
    source: str
    type: str
    occurred_at: datetime
    data: dict[str, Any] = field(repr=False)
    schema_version: int = 1
    subject: str | None = None
    case_id: str | None = None
    corrects: str | None = None
    causation_id: str | None = None
    correlation_id: str | None = None
    policy_ref: str | None = None
    traceparent: str | None = None
