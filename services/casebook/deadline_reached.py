"""The event that says a deadline has passed: only folding it changes a link, so replay needs no clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from ccr_events.core import ids
from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.core.model import Link
from ccr_events.envelope import Event, encode_record, fact_of, recorded_form
from services.engine.transaction import Deadline, NewRecord

SOURCE = "/ccr/timer"
"""CloudEvents `source` of the events that say so."""
AGENCY = "ccr"
"""In whose name."""


def deadline_record(deadline: Deadline, now: datetime, edition: str, *, alerting: bool = True) -> NewRecord:
    """The `link.deadline_reached` event of a deadline as a record of the log, recorded `now`."""
    event = Event(
        id=ids.deadline_event_id(deadline.link_id, deadline.step, deadline.at),
        source=SOURCE,
        type=DEADLINE_REACHED,
        occurred_at=deadline.at,
        data={"link_id": deadline.link_id, "step": deadline.step, "due_at": deadline.at.isoformat()},
        case_id=deadline.case_id,
    )
    form = recorded_form(
        event, case_id=deadline.case_id, agency=AGENCY, recorded_at=now, edition=edition, data=event.data
    )
    body = encode_record(form)
    return NewRecord(fact_of(form), body, sha256(body).digest(), alerting)


def passed_before_it_was_told(link: Link, deadline: Deadline, rungs: int) -> bool:
    """Whether a deadline had passed already when the link's trigger was recorded, or reminds of a ladder (of so many
    rungs) that had been climbed by then. Of a backfilled trigger that is history, and history alerts nobody."""
    recorded_at = link.opened_at + timedelta(seconds=link.lag_s)
    if deadline.step > rungs:
        return all(step.at <= recorded_at for step in link.steps if step.number <= rungs)
    return deadline.at <= recorded_at
