"""The life of a protocol link: everything that decides what happens to a link's state is in this file.

    opened ──► acknowledged ──► satisfied | waived          (ended)
       │             │
       └─────────────┴──► overdue, escalated 1..n beside it, until it ends
    any ──► cancelled   when a correction takes the trigger away
    acknowledged, ended ──► reopened   when a correction takes the acknowledgement or the ending act away

A link is a function of facts, so its life is read off two pictures of it, before and after one event: `TABLE`
says which change between them is which transition, and who is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto

from msgspec.structs import replace

from ccr_events.core.ids import transition_id
from ccr_events.core.model import Fact, Link, LinkState, Step, Transition, TransitionKind

RANK = {
    LinkState.OPENED: 0,
    LinkState.ACKNOWLEDGED: 1,
    LinkState.WAIVED: 2,
    LinkState.SATISFIED: 2,
    LinkState.CANCELLED: 3,
}
"""How far along a link is; falling back is a `reopened`."""


class Hears(Enum):
    """Who is told of a transition."""

    OWING = auto()
    RUNG = auto()  # the role on the escalation step


Change = Callable[[Link, Link], bool]
"""(before, after) → whether it happened; `UNBORN` stands for the link before there was one."""

UNBORN = Link("", "", "", "", "", "", "", "", datetime.min.replace(tzinfo=UTC), None, 0, LinkState.OPENED, False, ())


def _became(state: LinkState) -> Change:
    return lambda b, a: a.state is state and b.state is not state


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: this change is this transition, told to these."""

    kind: TransitionKind
    change: Change
    hears: Hears = Hears.OWING


TABLE: tuple[Row, ...] = (
    Row(TransitionKind.OPENED, lambda b, a: b is UNBORN),
    Row(TransitionKind.REOPENED, lambda b, a: RANK[a.state] < RANK[b.state] and not a.state.ended),
    Row(TransitionKind.RESCHEDULED, lambda b, a: b.due_at != a.due_at and b is not UNBORN and not a.state.ended),
    Row(TransitionKind.NOTIFIED, lambda b, a: a.notified_at is not None and b.notified_at is None),
    Row(TransitionKind.ACKNOWLEDGED, lambda b, a: a.acknowledged_at is not None and b.acknowledged_at is None),
    Row(TransitionKind.OVERDUE, lambda b, a: a.overdue and not b.overdue),
    Row(TransitionKind.ESCALATED, lambda b, a: a.steps != b.steps and bool(_climbed(b, a)), Hears.RUNG),
    Row(TransitionKind.SATISFIED, _became(LinkState.SATISFIED)),
    Row(TransitionKind.WAIVED, _became(LinkState.WAIVED)),
)
"""In the order in which transitions of one event are told. A link that is no more is told as `cancelled`, alone."""


def transitions(before: Link | None, after: Link | None, cause: Fact) -> list[Transition]:
    """What one event did to one link; nothing when no row of the table fires."""
    if after is None:
        return [] if before is None else [_told(TransitionKind.CANCELLED, _cancelled(before, cause), cause)]
    if before is None and _only_opened(after):
        return [_told(TransitionKind.OPENED, after, cause)]
    known = UNBORN if before is None else before
    told: list[Transition] = []
    for row in TABLE:
        if not row.change(known, after):
            continue
        if row.hears is Hears.OWING:
            told.append(_told(row.kind, after, cause))
        else:
            told += [_told(row.kind, after, cause, rung) for rung in _climbed(known, after)]
    return told


def _only_opened(link: Link) -> bool:
    """Whether nothing has been said of the link: of a new one, only the first row of the table fires then."""
    if link.state is not LinkState.OPENED or link.notified_at is not None:
        return False
    return True not in [step.reached for step in link.steps]


def _climbed(before: Link, after: Link) -> Sequence[Step]:
    """The rungs of the ladder that are reached now and were not."""
    reached = [s for s in after.steps if s.number and s.reached]
    if not reached:
        return ()
    had = {(s.number, s.at) for s in before.steps if s.reached}
    return [s for s in reached if (s.number, s.at) not in had]


def _told(kind: TransitionKind, link: Link, cause: Fact, rung: Step | None = None) -> Transition:
    step, agency, role = (0, link.agency, link.role) if rung is None else (rung.number, rung.agency, rung.role)
    told_id = transition_id(link.id, kind, step, cause.id)
    return Transition(told_id, kind, step, cause.id, cause.occurred_at, link, agency, role)


def _cancelled(link: Link, cause: Fact) -> Link:
    return replace(link, state=LinkState.CANCELLED, ended_at=cause.occurred_at, ended_by=cause.id)
