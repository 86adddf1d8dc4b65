"""What the county reports: histories of the scripted week, under other numbers and names, spread over weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from random import Random

from ccr_events.envelope import Event
from services.demo.acts import Act, Publish, Redrive, acts
from services.demo.scenario import History, Person, Week, load_week

PLANTED = "Zzplanted"
"""Part of every surname; found in clear in any file of the backbone, it has leaked."""
STREET = "Nowhere Lane"
"""Part of every address."""


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


def county_reports(seed: int, random: Random, *, histories: int, days: int) -> list[Report | Repair]:
    """In order of time."""
    week = _week()
    found: list[Report | Repair] = []
    for number in range(histories):
        own = _renamed(random.choice(week.histories), f"{seed}-{number}")
        monday = week.county.monday + timedelta(days=random.randrange(days))
        moved = Week(county=week.county.model_copy(update={"monday": monday}), histories=(own,))
        found += _reported(acts(moved, random.randrange(2**32)))
    return sorted(found, key=lambda report: (report.at, report.event.id))


@cache
def _week() -> Week:
    return load_week()


def _reported(played: Iterator[Act] | list[Act]) -> Iterator[Report | Repair]:  # type: ignore[misc]
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
