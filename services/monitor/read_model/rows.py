"""Events and transitions as rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccr_events.core.model import Fact, Link
from services.engine.ports import Alertable

Row = Mapping[str, Any]
"""Column name → value."""


def event_row(fact: Fact) -> Row:
    """A row of `events`: the open skeleton, nothing sealed."""
    return {
        "event_id": fact.id,
        "case_id": fact.case_id,
        "type": fact.type,
        "agency": fact.agency,
        "occurred_at": fact.occurred_at,
        "recorded_at": fact.recorded_at,
        "edition": fact.edition,
        "corrects": fact.corrects,
        "data": dict(fact.data),
    }


def transition_row(told: Alertable) -> Row:
    """A row of `transitions`."""
    transition = told.transition
    return {
        "transition_id": transition.id,
        "link_id": transition.link.id,
        "kind": transition.kind.value,
        "step": transition.step,
        "cause": transition.cause,
        "at": transition.at,
        "recorded_at": told.recorded_at,
        "to_agency": transition.to_agency,
        "to_role": transition.to_role,
        "alerting": told.alerting,
    }


def link_row(link: Link, last: int) -> Row:
    """A row of `links`, as the transition at position `last` left it."""
    return {
        "link_id": link.id,
        "case_id": link.case_id,
        "rule": link.rule,
        "edition": link.edition,
        "trigger_id": link.trigger_id,
        "agency": link.agency,
        "role": link.role,
        "urgency": link.urgency,
        "opened_at": link.opened_at,
        "due_at": link.due_at,
        "state": link.state.value,
        "overdue": link.overdue,
        "escalated_to": link.escalated_to,
        "lag_s": link.lag_s,
        "notified_at": link.notified_at,
        "acknowledged_at": link.acknowledged_at,
        "ended_at": link.ended_at,
        "ended_by": link.ended_by,
        "last": last,
    }
