"""An invented event in each of its wire forms."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccr_events.core.model import Link, LinkState, Step, Transition, TransitionKind
from ccr_events.envelope import Event, recorded_form

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

RECORDED_AT = datetime(2026, 3, 1, 22, 40, tzinfo=UTC)
DATA: dict[str, Any] = {"colour": "green", "sealed": {"VID": "PLANTED-token"}}


def record() -> dict[str, Any]:
    """The log form of EVENT."""
    return recorded_form(EVENT, case_id="case-18", agency="le", recorded_at=RECORDED_AT, edition="2026-02", data=DATA)


LINK = Link(
    id="019a0000-0000-5000-8000-00000000000a",
    case_id="case-18",
    rule="release-notice",
    edition="2026-02",
    trigger_id=EVENT.id,
    agency="jail",
    role="release_desk",
    urgency="immediate",
    opened_at=EVENT.occurred_at,
    due_at=datetime(2026, 3, 1, 23, tzinfo=UTC),
    lag_s=1500,
    state=LinkState.OPENED,
    overdue=True,
    steps=(Step(1, datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "jail", "watch_commander", reached=True),),
    references=(("booking_no", "B-17"),),
)
TRANSITION = Transition(
    id="019a0000-0000-5000-8000-00000000000b",
    kind=TransitionKind.ESCALATED,
    step=1,
    cause="019a0000-0000-5000-8000-00000000000c",
    at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    link=LINK,
    to_agency="jail",
    to_role="watch_commander",
)
