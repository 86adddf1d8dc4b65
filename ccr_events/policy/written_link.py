"""One protocol link as written: its shape, before its words are understood."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictBool, StrictInt, StringConstraints, Tag

from ccr_events.agencies import Agency
from ccr_events.payload import ReferenceKind
from ccr_events.policy.spans import AnySpan, Length
from ccr_events.policy.words import MAX_PARTS, Line, Mark, Part, Prose, RoleName, TypeName, Types


class Trigger(Part):
    """The act that obliges another's."""

    type: Types
    when: Any = None
    count: Annotated[StrictInt, Field(ge=1, le=100)] = 1
    """Open at the n-th matching act."""
    reset_by: Any = None
    """An act that sets the count back to zero."""


class Role(Part):
    """A role in an agency."""

    agency: Agency
    role: RoleName

    def __str__(self) -> str:
        return f"{self.role} ({self.agency.value})"


class Act(Part):
    """An event that satisfies, acknowledges or hastens a link."""

    type: TypeName
    when: Any = None
    same: Annotated[tuple[ReferenceKind, ...], Field(max_length=8)] = ()
    look_back: Length | None = None
    by: Literal["owing"] | None = None


class AllOf(Part):
    """Every group of acts is needed; of a group any act will do."""

    all: Annotated[
        tuple[Annotated[tuple[Act, ...], Field(min_length=1, max_length=MAX_PARTS)], ...],
        Field(min_length=1, max_length=16),
    ]


class Due(Part):
    """When the act is due; exactly one of the forms, see `deadlines`."""

    within: Length | None = None
    start: str | None = Field(default=None, alias="from")
    not_counting: Annotated[tuple[str, ...], Field(max_length=8)] = ()
    immediate: Literal[True] | None = None
    act_within: Length | None = None
    before: str | None = None
    on: str | None = None
    lead: Length | None = None
    otherwise: Due | None = None
    business_days: Annotated[StrictInt, Field(ge=1, le=365)] | None = None
    shift_end: Literal[True] | None = None
    earliest: Annotated[tuple[Due, ...], Field(min_length=2, max_length=8)] | None = None


class Rung(Part):
    """One step of the escalation ladder."""

    after: AnySpan
    to: Role
    beyond_agency: Prose | None = None
    """Why a role outside the owing agency must hear before the tracking entity."""
    ends_here: Prose | None = None
    """On the last rung only: why nobody outside the owing agency is told."""


class NoLadder(Part):
    """Silence is counted and told to nobody, for this reason."""

    none: Prose


class NoWaiver(Part):
    """Nobody may let the obligation go, for this reason."""

    none: Prose


class Basis(Part):
    """Where a link or its deadline comes from."""

    text: Annotated[str, StringConstraints(min_length=3, max_length=400)]
    mark: Mark


def _rung_form(value: Any) -> str:
    return "<none>" if isinstance(value, NoLadder) or (isinstance(value, dict) and "none" in value) else "<list>"


def _waiver_form(value: Any) -> str:
    return "<none>" if isinstance(value, NoWaiver) or (isinstance(value, dict) and "none" in value) else "<role>"


Acts = Annotated[tuple[Act, ...], Field(max_length=MAX_PARTS)]
Satisfaction = Annotated[
    Annotated[Annotated[tuple[Act, ...], Field(min_length=1, max_length=MAX_PARTS)], Tag("<list>")]
    | Annotated[AllOf, Tag("<all>")],
    Discriminator(lambda value: "<all>" if isinstance(value, (dict, AllOf)) else "<list>"),
]
Ladder = Annotated[
    Annotated[Annotated[tuple[Rung, ...], Field(min_length=1, max_length=16)], Tag("<list>")]
    | Annotated[NoLadder, Tag("<none>")],
    Discriminator(_rung_form),
]
Waiver = Annotated[Annotated[Role, Tag("<role>")] | Annotated[NoWaiver, Tag("<none>")], Discriminator(_waiver_form)]


class WrittenLink(Part):
    """One protocol link as written."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,4}[0-9]{2,3}[a-z]?$")]
    title: Line
    trigger: Trigger
    owed_by: Annotated[tuple[Role, ...], Field(min_length=1, max_length=32)]
    action: Prose
    urgency: Literal["immediate", "same_shift", "same_day", "routine"]
    due: Due
    due_at_once_on: Acts = ()
    satisfied_by: Satisfaction
    acknowledged_by: Acts = ()
    escalate: Ladder
    may_waive: Annotated[tuple[Waiver, ...], Field(min_length=1, max_length=16)]
    victim_contact: StrictBool = False
    """The act reaches out to the victim: only by a contact that is verified and safe."""
    if_unreachable: Prose | None = None
    """What people do when the adapter or the person cannot be reached (a phone tree)."""
    sources: Annotated[tuple[Basis, ...], Field(min_length=1, max_length=16)]
    mark: Mark
    """The weakest thing its deadline rests on."""


def groups(link: WrittenLink) -> tuple[tuple[Act, ...], ...]:
    """The groups of acts that satisfy a link: all are needed, of each any will do."""
    satisfied_by = link.satisfied_by
    return satisfied_by.all if isinstance(satisfied_by, AllOf) else (satisfied_by,)
