"""The values the core works on: facts, links, transitions. No behaviour, no I/O.

They are made by the thousand a second, so they are frozen `msgspec.Struct`s: what a frozen dataclass is, but made many
times as fast. `msgspec.structs.replace` gives one with other values. Those that are stored are written as arrays of
their fields, in this order: a new field goes last and has a default. All instants are aware UTC datetimes. A `Fact` is
the open skeleton of one event: nothing sealed ever reaches the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct


class Fact(Struct, frozen=True, gc=False, array_like=True):
    """The open skeleton of one event, as the log holds it."""

    id: str
    """Event id (UUID text)."""
    type: str
    agency: str
    """Agency that published it (`ccr_events.agencies.Agency` value), or `ccr` for the backbone's own."""
    case_id: str
    occurred_at: datetime
    recorded_at: datetime
    edition: str
    """Policy edition in force at `recorded_at`, stamped at intake (CloudEvents attribute `policyversion`)."""
    data: Mapping[str, Any]
    """Open fields of the payload as plain JSON values (strings, numbers, booleans, lists, maps)."""
    corrects: str | None = None
    """Id of the event this one replaces."""
    source: str = ""
    """CloudEvents `source` of the publisher."""

    @property
    def order(self) -> tuple[datetime, str]:
        """Canonical order of facts: when it happened, then id; never when it arrived."""
        return (self.occurred_at, self.id)


class LinkState(StrEnum):
    """Where a protocol link stands. `overdue` and escalation steps are kept beside it, see `Link`."""

    OPENED = "opened"
    ACKNOWLEDGED = "acknowledged"
    SATISFIED = "satisfied"
    WAIVED = "waived"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """True when nobody owes anything any more."""
        return self in _ENDED


_ENDED = frozenset({LinkState.SATISFIED, LinkState.WAIVED, LinkState.CANCELLED})


class Step(Struct, frozen=True, gc=False, array_like=True):
    """One instant at which silence has a consequence: step 0 is the due time, 1..n the escalation ladder."""

    number: int
    at: datetime
    agency: str
    role: str
    reached: bool = False
    """True once a `link.deadline_reached` fact for exactly this step and instant is in the case."""


class Link(Struct, frozen=True, gc=False, array_like=True):
    """One obligation, as derived from the facts of its case."""

    id: str
    """uuid5 of (case of the trigger, rule, trigger event's root id, owing agency)."""
    case_id: str
    rule: str
    edition: str
    trigger_id: str
    """Root id of the triggering event (the first of its correction chain)."""
    agency: str
    """Agency that owes the act."""
    role: str
    """Role in that agency that owes the act."""
    urgency: str
    opened_at: datetime
    """When the trigger occurred: the clock starts here."""
    due_at: datetime | None
    """None when the rule sets no deadline (it then can never be overdue)."""
    lag_s: int
    """Seconds from the trigger's occurrence to its recording, charged to its publisher."""
    state: LinkState
    overdue: bool
    """Due time reached (as a fact) before the act: stays true after a late satisfaction."""
    steps: tuple[Step, ...]
    notified_at: datetime | None = None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    """Event id of the satisfier, waiver or correction that ended it."""
    references: tuple[tuple[str, str], ...] = ()
    """(kind, number) of the trigger, so that the addressee can find it in their own system."""

    @property
    def escalated_to(self) -> int:
        """Highest escalation step reached; 0 when none."""
        return max((s.number for s in self.steps if s.reached), default=0)


class TransitionKind(StrEnum):
    """What happened to a link; published as event type `link.<kind>`."""

    OPENED = "opened"
    NOTIFIED = "notified"
    ACKNOWLEDGED = "acknowledged"
    SATISFIED = "satisfied"
    WAIVED = "waived"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    CANCELLED = "cancelled"
    REOPENED = "reopened"
    RESCHEDULED = "rescheduled"


class Transition(Struct, frozen=True, gc=False, array_like=True):
    """One change of one link, caused by one event."""

    id: str
    """uuid5 of (link, kind, step, cause): the same change has the same id wherever it is computed."""
    kind: TransitionKind
    step: int
    """Escalation step for `escalated`; 0 otherwise."""
    cause: str
    """Event id."""
    at: datetime
    """`occurred_at` of the cause."""
    link: Link
    """The link after the change."""
    to_agency: str
    to_role: str
    """Who must hear of it: the owing role, or the role on the escalation ladder."""


class Outbound(Struct, frozen=True, gc=False):
    """A backbone event that folding a fact obliges the casebook to append (for example `case.absorbed`)."""

    id: str
    type: str
    case_id: str
    occurred_at: datetime
    causation: str
    data: Mapping[str, Any]
