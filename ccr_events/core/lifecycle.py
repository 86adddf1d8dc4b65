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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from msgspec.structs import replace

from ccr_events.core.ids import transition_id
from ccr_events.core.model import Fact, Link, LinkState, Transition, TransitionKind

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


Steps = tuple[int, ...]
Change = Callable[[Link | None, Link | None], Steps]
"""(before, after) → the steps at which the transition happened; empty when it did not."""

_YES: Steps = (0,)
_NO: Steps = ()


def _when(happened: bool) -> Steps:
    return _YES if happened else _NO


def _escalated(before: Link | None, after: Link | None) -> Steps:
    if after is None:
        return _NO
    had = {(s.number, s.at) for s in before.steps if s.reached} if before else set()
    return tuple(s.number for s in after.steps if s.number and s.reached and (s.number, s.at) not in had)


def _became(state: LinkState) -> Change:
    return lambda b, a: _when(a is not None and a.state is state and (b is None or b.state is not state))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: this change is this transition, told to these."""

    kind: TransitionKind
    change: Change
    hears: Hears = Hears.OWING


TABLE: tuple[Row, ...] = (
    Row(TransitionKind.OPENED, lambda b, a: _when(b is None and a is not None)),
    Row(TransitionKind.CANCELLED, lambda b, a: _when(b is not None and a is None)),
    Row(
        TransitionKind.REOPENED,
        lambda b, a: _when(b is not None and a is not None and RANK[a.state] < RANK[b.state] and not a.state.ended),
    ),
    Row(
        TransitionKind.RESCHEDULED,
        lambda b, a: _when(b is not None and a is not None and b.due_at != a.due_at and not a.state.ended),
    ),
    Row(
        TransitionKind.NOTIFIED,
        lambda b, a: _when(a is not None and a.notified_at is not None and (b is None or b.notified_at is None)),
    ),
    Row(
        TransitionKind.ACKNOWLEDGED,
        lambda b, a: _when(
            a is not None and a.acknowledged_at is not None and (b is None or b.acknowledged_at is None)
        ),
    ),
    Row(
        TransitionKind.OVERDUE,
        lambda b, a: _when(a is not None and a.overdue and not (b is not None and b.overdue)),
    ),
    Row(TransitionKind.ESCALATED, _escalated, Hears.RUNG),
    Row(TransitionKind.SATISFIED, _became(LinkState.SATISFIED)),
    Row(TransitionKind.WAIVED, _became(LinkState.WAIVED)),
)
"""In the order in which transitions of one event are told."""


def transitions(before: Link | None, after: Link | None, cause: Fact) -> Iterator[Transition]:
    """What one event did to one link; nothing when no row of the table fires."""
    for row in TABLE:
        for step in row.change(before, after):
            link = after if after is not None else _cancelled(before, cause)
            agency, role = link.agency, link.role
            if row.hears is Hears.RUNG:
                rung = next(s for s in link.steps if s.number == step)
                agency, role = rung.agency, rung.role
            yield Transition(
                id=transition_id(link.id, row.kind.value, step, cause.id),
                kind=row.kind,
                step=step,
                cause=cause.id,
                at=cause.occurred_at,
                link=link,
                to_agency=agency,
                to_role=role,
            )


def _cancelled(link: Link | None, cause: Fact) -> Link:
    assert link is not None  # noqa: S101  # a table row only fires when one of the pictures exists
    return replace(link, state=LinkState.CANCELLED, ended_at=cause.occurred_at, ended_by=cause.id)
