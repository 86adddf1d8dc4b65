"""What happens in the week, act by act, made from the script: same script and same seed, same acts.

The seed decides the events' ids and adds a little lateness to every report that has none written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from ccr_events.catalogue import event_type_named
from ccr_events.core.ids import derived
from ccr_events.envelope import Event
from services.demo.scenario import County, Decision, Document, History, Person, Reply, Report, Week
from services.demo.times import dated, moment

MAX_LATENESS_S = 120
"""Seeded lateness of a report that has none written."""
RETRY_AFTER = timedelta(minutes=1)
"""After this an event marked `twice` is sent again."""


@dataclass(frozen=True, slots=True)
class Publish:
    """An agency reports an event."""

    at: datetime
    history: str
    agency: str
    event: Event
    expected: Literal["accepted", "duplicate", "quarantined"] = "accepted"


@dataclass(frozen=True, slots=True)
class Redrive:
    """An agency repairs an event of its own that was quarantined, and submits it again."""

    at: datetime
    history: str
    agency: str
    event: Event


@dataclass(frozen=True, slots=True)
class Answer:
    """A practitioner answers the newest open link of a rule."""

    at: datetime
    history: str
    agency: str
    answer: Literal["acknowledge", "complete", "waive"]
    rule: str
    owed_by: str
    role: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decide:
    """The tracking entity decides on every waiting proposal about the history's cases."""

    at: datetime
    history: str
    merge: Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class Ingest:
    """A NIEM document arrives."""

    at: datetime
    history: str
    file: str


Act = Publish | Redrive | Answer | Decide | Ingest


def acts(week: Week, seed: int = 1) -> Sequence[Act]:
    """Everything that happens, in the order in which it is reported."""
    rng = random.Random(seed)  # noqa: S311  # a script, not a secret
    county = week.county
    found: list[Act] = [act for history in week.histories for act in _of_history(county, history, seed, rng)]
    return sorted(found, key=lambda act: act.at)


def ends_at(week: Week) -> datetime:
    """When the clock stops."""
    return moment(week.county.ends, week.county.monday, week.county.zone)


def event_id(seed: int, history: str, name: str) -> str:
    """Id of an event of the script."""
    return derived("demo", str(seed), history, name)


def _of_history(county: County, history: History, seed: int, rng: random.Random) -> Iterator[Act]:
    for number, entry in enumerate(history.entries):
        at = moment(entry.at, county.monday, county.zone)
        if isinstance(entry, Decision):
            yield Decide(at, history.key, entry.merge)
        elif isinstance(entry, Document):
            yield Ingest(at, history.key, entry.document)
        elif isinstance(entry, Reply):
            owed_by = entry.owed_by or entry.agency
            yield Answer(at, history.key, entry.agency, entry.answer, entry.link, owed_by, entry.role, entry.body)
        else:
            lateness = timedelta(seconds=rng.randint(1, MAX_LATENESS_S))
            reported_at = at + (lateness if entry.reported is None else entry.reported)
            yield from _of_report(
                county, history, entry, event_id(seed, history.key, entry.id or str(number)), at, reported_at, seed
            )


def _of_report(
    county: County, history: History, entry: Report, id: str, at: datetime, reported_at: datetime, seed: int
) -> Iterator[Act]:
    agency = entry.agency or _only_publisher(history, entry)

    def event(data: Mapping[str, Any]) -> Event:
        return Event(
            id=id,
            source=f"urn:placeholder-county:{agency}",
            type=entry.type,
            occurred_at=at,
            data={**dated(dict(data), county.monday, county.zone), **_named(history, entry)},
            corrects=None if entry.corrects is None else event_id(seed, history.key, entry.corrects),
        )

    whole = event(entry.data)
    if entry.repaired is None:
        yield Publish(reported_at, history.key, agency, whole)
    else:
        yield Publish(reported_at, history.key, agency, event({**entry.data, **entry.spoiled}), "quarantined")
        reported_at += entry.repaired
        yield Redrive(reported_at, history.key, agency, whole)
    if entry.twice:
        yield Publish(reported_at + RETRY_AFTER, history.key, agency, whole, "duplicate")


def _only_publisher(history: History, entry: Report) -> str:
    publishers = sorted(event_type_named(entry.type).publishers)
    if len(publishers) != 1:
        raise ValueError(f"{history.key}, {entry.at} {entry.type}: say which agency publishes it")
    return publishers[0]


def _named(history: History, entry: Report) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if entry.refs:
        named["references"] = [_reference(name, history) for name in entry.refs]
    if entry.people:
        if history.suspect is None or history.victim is None:
            raise ValueError(f"{history.key}, {entry.at} {entry.type}: the history names no people")
        named["parties"] = [_party("suspect", history.suspect), _party("victim", history.victim)]
    return named


def _reference(name: str, history: History) -> dict[str, str]:
    return {"kind": f"{name.partition('.')[0]}_no", "number": history.refs[name]}


def _party(role: str, person: Person) -> dict[str, Any]:
    party: dict[str, Any] = {
        "role": role,
        "name": {"given": person.given, "surname": person.surname},
        "birth_date": person.birth_date,
    }
    return party | {k: v for k in ("address", "phone") if (v := getattr(person, k)) is not None}
