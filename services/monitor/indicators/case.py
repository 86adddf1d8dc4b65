"""One case as an indicator sees it: facts that count and links, as known at a time, and the window asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from ccr_events.core.model import Fact, Link
from ccr_events.core.rules import Facts

_AT_THE_SCENE = ("incident.reported", "arrest.made", "arrest.not_made")
"""Events by which an incident that police attended is known."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which acts are asked about: those that occurred from `since` on and before `until`."""

    since: datetime | None
    until: datetime | None
    as_of: datetime
    """What was recorded by then counts; what was not yet done then is not done."""

    def holds(self, at: datetime) -> bool:
        """Whether an instant lies in it."""
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident that police attended."""

    at: datetime
    facts: Mapping[str, tuple[Fact, ...]]

    def of(self, name: str) -> tuple[Fact, ...]:
        """Its facts of a type."""
        return self.facts.get(name, ())


@dataclass(frozen=True)
class Case:
    """One case."""

    case_id: str
    facts: Facts
    """Effective facts: what was corrected or retracted is left out."""
    links: Sequence[Link]
    window: Window

    def all_of(self, *names: str) -> list[Fact]:
        """Facts of these types in order, inside the window or not; those said to be no domestic violence left out."""
        found = [fact for name in names for fact in self.facts.of_type(name) if fact.data.get("dv") != "no"]
        return sorted(found, key=lambda fact: fact.order) if len(names) > 1 else found

    def asked(self, *names: str) -> Iterator[Fact]:
        """Those of them inside the window."""
        return (fact for fact in self.all_of(*names) if self.window.holds(fact.occurred_at))

    def old_enough(self, at: datetime, age: timedelta) -> bool:
        """Whether so much time had passed since `at` that what was to follow would have."""
        return at + age <= self.window.as_of

    @cached_property
    def incidents(self) -> Sequence[Incident]:
        """Incidents that police attended, by the first of their times."""
        groups: dict[str, dict[str, list[Fact]]] = {}
        for name in (*_AT_THE_SCENE, "risk.screened"):
            for fact in self.all_of(name):
                groups.setdefault(incident_of(fact), {}).setdefault(name, []).append(fact)
        found = [
            Incident(
                min(fact.occurred_at for facts in group.values() for fact in facts),
                {name: tuple(facts) for name, facts in group.items()},
            )
            for group in groups.values()
            if any(name in group for name in _AT_THE_SCENE)
        ]
        return sorted(found, key=lambda incident: incident.at)

    def incidents_asked(self) -> Iterator[Incident]:
        """Incidents inside the window."""
        return (incident for incident in self.incidents if self.window.holds(incident.at))


def incident_of(fact: Fact) -> str:
    """The number of the incident a fact belongs to; its own id when it names none."""
    return next(iter(sorted(numbers(fact, "incident_no"))), fact.id)


def numbers(fact: Fact, kind: str) -> set[str]:
    """The numbers of a kind that a fact carries."""
    return {r["number"] for r in fact.data.get("references", ()) if r["kind"] == kind}


def first_after(start: Fact, candidates: Iterable[Fact], *same: str) -> Fact | None:
    """The first of the candidates at or after `start`, which shares a number of each of these kinds where both carry
    one."""
    for fact in candidates:
        if fact.occurred_at >= start.occurred_at and fact.id != start.id and alike(start, fact, *same):
            return fact
    return None


def alike(one: Fact, other: Fact, *same: str) -> bool:
    """Whether two facts share a number of each of these kinds where both carry one."""
    for kind in same:
        mine, theirs = numbers(one, kind), numbers(other, kind)
        if mine and theirs and mine.isdisjoint(theirs):
            return False
    return True
