"""A written policy as a document: its shape, before its words are understood.

What `when` and `due` mean is checked in `conditions` and `deadlines`; what links must be, in `link_rules`.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    Tag,
)

from ccr_events.agencies import Agency
from ccr_events.payload import ReferenceKind
from ccr_events.policy.spans import AnySpan, Length

MAX_LINKS = 200
"""Most links of one document."""
MAX_PARTS = 64
"""Most entries of any other list."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\n]+$")]
"""One line of words."""
Prose = Annotated[str, StringConstraints(min_length=10, max_length=4000)]
RoleName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z][a-z' -]*[a-z]$")]
"""A role in lower case, such as `patrol sergeant`: never a worker's name or number."""
TypeName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z_]+\.[a-z_]+$")]
Mark = Literal["F", "K", "P"]
"""F found in a public source · K known, not verified here · P a proposal that local policy decides."""


class Part(BaseModel):
    """Base of every part of a document: immutable, no unknown words."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as America/Chicago") from None
    return name


def _clock(text: Any) -> Any:
    try:
        return time.fromisoformat(text) if isinstance(text, str) and len(text) == 5 else _no_clock()
    except ValueError:
        return _no_clock()


def _no_clock() -> Any:
    raise ValueError('must be a time of day in quotes, such as "16:30"')


def _whole_day(value: Any) -> Any:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("must be a date, such as 2026-01-01")
    return value


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


ClockTime = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[date, BeforeValidator(_whole_day)]
Types = Annotated[tuple[TypeName, ...], BeforeValidator(_several), Field(min_length=1, max_length=MAX_PARTS)]


class Jurisdiction(Part):
    """Where the policy holds; its calendar of holidays and its clock follow from it."""

    name: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")] | None = None
    timezone: Annotated[str, AfterValidator(_zone)]


class Local(Part):
    """What local policy decides about time."""

    court_day_ends: ClockTime
    shifts: Annotated[tuple[ClockTime, ...], Field(min_length=1, max_length=24)]
    """Local times of day at which one shift ends and the next begins."""
    court_closures: Annotated[tuple[Day, ...], Field(max_length=400)] = ()
    """Days on which the court is closed besides public holidays."""
    remind_every: Length
    """After the last rung an open link reminds after this long, then after twice as long, and so on."""


class Purpose(Part):
    """Why the policy exists, in plain words."""

    victim_safety: Prose
    offender_accountability: Prose


class SignOff(Part):
    """Who put the policy in force for an agency, by title."""

    agency: Agency
    title: Line
    on: Day


class Guidance(Part):
    """What a practitioner does at one point of intervention, and why."""

    point: Line
    practitioner: Line
    do: Prose
    because: Prose


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


class Document(Part):
    """One version of one written policy."""

    policy: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    effective: Day
    agency: Agency
    """The agency whose chapter it is."""
    title: Line
    jurisdiction: Jurisdiction
    local: Local
    purpose: Purpose
    signed_by: Annotated[tuple[SignOff, ...], Field(min_length=1, max_length=MAX_PARTS)]
    guidance: Annotated[tuple[Guidance, ...], Field(min_length=1, max_length=MAX_PARTS)]
    links: Annotated[tuple[WrittenLink, ...], Field(max_length=MAX_LINKS)]

    @property
    def version_order(self) -> tuple[int, ...]:
        """The version as numbers, to compare."""
        return tuple(map(int, self.version.split(".")))

    @property
    def name(self) -> str:
        """`policy` and version, as people cite it."""
        return f"{self.policy} {self.version}"


def groups(link: WrittenLink) -> tuple[tuple[Act, ...], ...]:
    """The groups of acts that satisfy a link: all are needed, of each any will do."""
    satisfied_by = link.satisfied_by
    return satisfied_by.all if isinstance(satisfied_by, AllOf) else (satisfied_by,)
