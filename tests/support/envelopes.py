"""An invented event in each of its wire forms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccr_events.envelope import Event

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "envelope"

EVENT = Event(
    id="019a0000-0000-7000-8000-000000000001",
    source="/sample-county/police/rms",
    type="sample.made",
    occurred_at=datetime(2026, 3, 1, 22, 15, 0, 250_000, tzinfo=UTC),
    data={"references": [{"kind": "incident_no", "number": "26-0101"}], "colour": "green"},
    schema_version=2,
    subject="26-0101",
    case_id="case-17",
    corrects="019a0000-0000-7000-8000-000000000002",
    causation_id="019a0000-0000-7000-8000-000000000003",
    correlation_id="shift:26-03-01/n",
    policy_ref="le/310@3",
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)

MINIMAL: dict[str, Any] = {
    "specversion": "1.0",
    "id": "019a0000-0000-7000-8000-000000000004",
    "source": "/sample",
    "type": "sample.made",
    "time": "2026-03-01T22:15:00Z",
    "data": {},
}
