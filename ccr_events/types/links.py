"""Transitions of protocol links, as the casebook publishes them to subscribers; see `ccr_events.envelope`.

They are derived from the log and never stand on it. Three transitions share their name with the event on the log
that causes them (`link.notified`, `link.acknowledged`, `link.waived`, in `ccr_events.types.backbone`): on the alert
stream those too have the shape below.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.core.model import LinkState
from ccr_events.labels import OPS
from ccr_events.payload import Code, Instant, Model, Reference, RoleName
from ccr_events.registry import event_type
from ccr_events.types.backbone import MAX_STEPS
from ccr_events.types.unnamed import Unnamed

MAX_LAG_S = 3_200_000_000
"""Bound on how late a report is told to be, in seconds: a century."""


class LinkAsItStands(Model):
    """A protocol link after the change."""

    id: Annotated[Code, OPS]
    rule: Annotated[Code, OPS]
    trigger_id: Annotated[Code, OPS]
    agency: Annotated[Agency, OPS]
    """Who owes the act."""
    role: Annotated[RoleName, OPS]
    urgency: Annotated[Code, OPS]
    state: Annotated[LinkState, OPS]
    overdue: Annotated[bool, OPS]
    escalated_to: Annotated[int, OPS] = Field(ge=0, le=MAX_STEPS)
    opened_at: Annotated[Instant, OPS]
    lag_s: Annotated[int, OPS] = Field(ge=0, le=MAX_LAG_S)
    """Seconds from the trigger's occurrence to its recording."""
    references: Annotated[tuple[Reference, ...], OPS] = Field(default=(), max_length=16)
    due_at: Annotated[Instant | None, OPS] = None
    notified_at: Annotated[Instant | None, OPS] = None
    acknowledged_at: Annotated[Instant | None, OPS] = None
    ended_at: Annotated[Instant | None, OPS] = None
    ended_by: Annotated[Code | None, OPS] = None


class _Transition(Unnamed):
    to_agency: Annotated[Agency, OPS]
    """Who must hear of it."""
    to_role: Annotated[RoleName, OPS]
    step: Annotated[int, OPS] = Field(default=0, ge=0, le=MAX_STEPS)
    """Escalation step; 0 otherwise."""
    link: Annotated[LinkAsItStands, OPS]


@event_type("link.opened", publishers=(), logged=False)
class LinkOpened(_Transition):
    """One practitioner's act obliges another's."""


@event_type("link.satisfied", publishers=(), logged=False)
class LinkSatisfied(_Transition):
    """What was owed is done."""


@event_type("link.overdue", publishers=(), logged=False)
class LinkOverdue(_Transition):
    """What was owed is not done in time."""


@event_type("link.escalated", publishers=(), logged=False)
class LinkEscalated(_Transition):
    """Silence: the next role on the ladder hears."""


@event_type("link.cancelled", publishers=(), logged=False)
class LinkCancelled(_Transition):
    """A correction took away what had opened the link."""


@event_type("link.reopened", publishers=(), logged=False)
class LinkReopened(_Transition):
    """A correction took away what had ended or acknowledged the link."""


@event_type("link.rescheduled", publishers=(), logged=False)
class LinkRescheduled(_Transition):
    """The due time moved."""
