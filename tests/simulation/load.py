"""What the county reports: histories of the scripted week, under other numbers and names, spread over weeks; or the
cases of an invented county (`services.simulator`), broken reports among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from random import Random

from ccr_events.envelope import Event
from services.demo.acts import Act, Publish, Redrive, acts
from services.demo.scenario import History, Person, Week, load_week
from services.simulator import County, reports
from services.simulator.county import CALLS_PER_1000_A_YEAR
from tests.simulation.clock import START
from tests.simulation.plan import Plan

PLANTED = "Zzplanted"
"""Part of every surname; found in clear in any file of the backbone, it has leaked."""
SIMULATED_REPORTS = 120
"""Reports of an invented county, at most."""
CASES = 6
"""About how many cases an invented county has."""
FOLLOWED_DAYS = 7
"""How long its cases are followed after the last call."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an adapter sends, and when."""

    at: datetime
    agency: str
    event: Event


@dataclass(frozen=True, slots=True)
class Repair:
    """What an agency submits again out of quarantine, and when."""

    at: datetime
    agency: str
    event: Event


def county_reports(seed: int, plan: Plan, random: Random) -> list[Report | Repair]:
    """In order of time."""
    found = _invented(plan, random) if plan.invented else _scripted(seed, plan, random)
    return sorted(found, key=lambda report: (report.at, report.event.id))


def _invented(plan: Plan, random: Random) -> Iterator[Report]:
    population = round(CASES / plan.days * 365 / CALLS_PER_1000_A_YEAR * 1_000)
    county = County(population, START, plan.days, FOLLOWED_DAYS, broken=plan.broken)
    for sent in islice(reports(county, random.randrange(2**32)), SIMULATED_REPORTS):
        yield Report(sent.at, sent.agency, sent.event)


def _scripted(seed: int, plan: Plan, random: Random) -> Iterator[Report | Repair]:
    week = _week()
    for number in range(plan.histories):
        own = _renamed(random.choice(week.histories), f"{seed}-{number}")
        monday = week.county.monday + timedelta(days=random.randrange(plan.days))
        moved = Week(county=week.county.model_copy(update={"monday": monday}), histories=(own,))
        yield from _reported(acts(moved, random.randrange(2**32)))


@cache
def _week() -> Week:
    return load_week()


def _reported(played: Sequence[Act]) -> Iterator[Report | Repair]:
    for act in played:
        if isinstance(act, Publish):
            yield Report(act.at, act.agency, act.event)
        elif isinstance(act, Redrive):
            yield Repair(act.at, act.agency, act.event)


def _renamed(history: History, name: str) -> History:
    refs = {key: f"{number}-{name}" for key, number in history.refs.items()}
    people = {role: _planted(person, name) for role in ("suspect", "victim") if (person := getattr(history, role))}
    return history.model_copy(update={"refs": refs, **people})


def _planted(person: Person, name: str) -> Person:
    return person.model_copy(update={"surname": f"{PLANTED}-{name}-{person.surname}"})
