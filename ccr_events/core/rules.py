"""What a compiled policy rule offers the core: values and closures, nothing of YAML.

`ccr_events.policy` compiles written policies to these; the core depends on this file only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from ccr_events.core.model import Fact


class Facts(Protocol):
    """The effective facts of a case (corrected and retracted ones left out)."""

    def of_type(self, name: str) -> Sequence[Fact]:
        """Facts of that type in canonical order (`Fact.order`)."""


Condition = Callable[[Fact, Facts], bool]
"""(fact, the case's facts) → holds. Pure."""

DueTime = Callable[[Fact], datetime | None]
"""Trigger fact → the instant the act is due; None when the trigger carries no such time and none is owed."""


@dataclass(frozen=True, slots=True)
class Owing:
    """An agency and role that owes the act of a rule; a rule opens one link for each."""

    agency: str
    role: str


@dataclass(frozen=True, slots=True)
class Satisfier:
    """An event type that satisfies (or only acknowledges) a link when it matches."""

    type: str
    when: Condition | None
    """Condition on the satisfying fact."""
    same: tuple[str, ...]
    """Reference kinds that must be equal where both trigger and satisfier carry them."""
    look_back: timedelta
    """How long before the trigger's `occurred_at` the act may have happened and still count."""
    by_owing_agency: bool
    """Only the owing agency's own event counts (for example its acknowledgement)."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One rung: at `due + after` (negative: a warning before it is due) this role hears."""

    after: timedelta
    agency: str
    role: str


class Part(Enum):
    """What an act does to the links of a rule."""

    SATISFIES = auto()
    ACKNOWLEDGES = auto()
    PULLS = auto()  # it makes the act due at once


@dataclass(frozen=True, slots=True)
class Rule:
    """One protocol link of a written policy, compiled."""

    key: str
    """Stable key across editions, for example `L17`."""
    edition: str
    title: str
    trigger_types: frozenset[str]
    when: Condition | None
    count: int
    """Open at the n-th matching trigger fact (1: at each)."""
    consecutive_reset: Condition | None
    """With `count` > 1: a fact of a trigger type that sets the count back to zero."""
    owing: tuple[Owing, ...]
    urgency: str
    due: DueTime
    pulled_by: tuple[Satisfier, ...]
    """Facts whose occurrence makes the act due at once if it is then still owed ("before release")."""
    satisfied_by: tuple[tuple[Satisfier, ...], ...]
    """All of the groups are needed; any satisfier of a group will do."""
    acknowledged_by: tuple[Satisfier, ...]
    ladder: tuple[LadderStep, ...]
    waivers: frozenset[tuple[str, str]]
    """(agency, role) that may waive."""
    action: str
    """What must be done, in words; free of any case data."""
    asks: frozenset[str] = frozenset()
    """Event types that `when` and `consecutive_reset` look at besides the trigger itself."""
    asks_later: frozenset[str] = frozenset()
    """Those of `asks` whose facts count also when they happened after the trigger."""
    stirred: Condition | None = None
    """(a new fact of a type in `asks`, the case's facts with it) → whether it can have changed an answer of `when` or
    `consecutive_reset` for any trigger; None: it always can."""
    acts_ask: frozenset[str] = frozenset()
    """Event types that the conditions on acts look at besides the act itself."""
    remind_every: timedelta = timedelta(hours=24)
    """After the last rung an open link never falls silent: its last hearer is reminded after this long, then
    after twice as long, and so on (policy parameter `local.remind_every`)."""
    act_types: frozenset[str] = field(init=False, repr=False)
    """Event types that satisfy, acknowledge or pull."""
    look_back: timedelta = field(init=False, repr=False)
    """The longest of its acts'."""

    def __post_init__(self) -> None:
        """Gather what is asked at every event."""
        acts = (*(act for group in self.satisfied_by for act in group), *self.acknowledged_by, *self.pulled_by)
        object.__setattr__(self, "act_types", frozenset(act.type for act in acts))
        object.__setattr__(self, "look_back", max((act.look_back for act in acts), default=timedelta(0)))


@dataclass(frozen=True, slots=True)
class Acts:
    """What can change the links that one rule has opened. Acts about one link (`link.*`) are left out."""

    rule: Rule
    by_type: Mapping[str, Sequence[tuple[Satisfier, Part]]]
    acknowledged: bool
    """Whether an act of the case can acknowledge a link."""
    pulls: frozenset[str]
    """Types of `by_type` that make it due at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of an edition by what an event of a type can change. See `ccr_events.core.plan`."""

    opening: Mapping[str, Sequence[Rule]]
    """Trigger type → rules that open a link at each trigger."""
    counting: Mapping[str, Sequence[Rule]]
    """Trigger type → rules that open at the n-th."""
    asking: Mapping[str, Sequence[Rule]]
    """Type → rules whose `asks` has it."""
    acts: Mapping[str, Acts]
    """Rule key → what changes its links."""
    acting: Mapping[str, Mapping[str, Acts]]
    """Type of an act → rule key → what it changes."""
    acts_asking: Mapping[str, Sequence[Rule]]
    """Type → rules whose `acts_ask` has it."""


class Edition(Protocol):
    """The written policies in force from one date on."""

    @property
    def id(self) -> str:
        """The stamp events carry."""

    @property
    def by_trigger(self) -> Mapping[str, Sequence[Rule]]:
        """Trigger event type → rules."""

    @property
    def plan(self) -> Plan:
        """What an event of a type can change (`ccr_events.core.plan.plan_of` its rules)."""

    def rule(self, key: str) -> Rule:
        """The rule; raises `LookupError`."""


class Policies(Protocol):
    """All editions ever in force."""

    def edition(self, edition_id: str) -> Edition:
        """The edition stamped on an event; raises `LookupError` that says which is missing."""
