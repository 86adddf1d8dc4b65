"""The scripted week as data: case histories of an invented county, read from YAML and made into events.

A history is one dyad. Each of its entries is an event an agency publishes, or an answer a practitioner gives to a
protocol link. `at` is when the act happened; `reported` is how long after that its agency reported it, so late and
out-of-order reports are written plainly. A seed adds a little lateness to every report that has none written.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from ruamel.yaml import YAML

from ccr_events.catalogue import event_type_named
from ccr_events.core.ids import derived
from ccr_events.envelope import Event
from services.demo.times import moment, span

MAX_LATENESS_S = 240
"""Seeded lateness of a report that has none written."""

Span = Annotated[timedelta, BeforeValidator(span)]


class Entry(BaseModel):
    """One line of a history: an event (`type`) or an answer to a link (`answer`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    """Weekday and local time, `mon 21:14`; `+1 mon 09:00` is the week after, `-2 tue 10:00` two weeks before."""
    reported: Span | None = None
    type: str | None = None
    agency: str | None = None
    id: str | None = None
    """A name for this event within the history, for `corrects`."""
    corrects: str | None = None
    refs: tuple[str, ...] = ()
    people: bool = False
    data: dict[str, Any] = Field(default_factory=dict)
    answer: Literal["acknowledge", "complete", "waive"] | None = None
    link: str | None = None
    role: str | None = None
    body: dict[str, Any] = Field(default_factory=dict)


class Person(BaseModel):
    """An invented person of a history."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: str
    surname: str
    birth_date: str
    address: str | None = None
    phone: str | None = None


class History(BaseModel):
    """One dyad's week."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    about: str
    refs: dict[str, str]
    """Short name → number; the name's part before a dot is the reference kind without `_no`."""
    suspect: Person
    victim: Person
    entries: tuple[Entry, ...]


class Week(BaseModel):
    """The whole script."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    county: str
    timezone: str
    monday: datetime
    histories: tuple[History, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """An agency reports an event at `reported_at`."""

    reported_at: datetime
    history: str
    agency: str
    event: Event


@dataclass(frozen=True, slots=True)
class Answer:
    """A practitioner answers the newest open link of a rule."""

    reported_at: datetime
    history: str
    agency: str
    answer: Literal["acknowledge", "complete", "waive"]
    rule: str
    role: str
    body: Mapping[str, Any]


Act = Publish | Answer


def load_week() -> Week:
    """The week that ships with the project."""
    text = files("services.demo").joinpath("week.yaml").read_text(encoding="utf-8")
    return Week.model_validate(YAML(typ="safe").load(text))


def acts(week: Week, seed: int = 1) -> Sequence[Act]:
    """Everything that happens, in the order in which it is reported. Same seed, same acts."""
    rng = random.Random(seed)  # noqa: S311  # a script, not a secret
    found = [act for history in week.histories for act in _of_history(week, history, seed, rng)]
    return sorted(found, key=lambda a: a.reported_at)


def _of_history(week: Week, history: History, seed: int, rng: random.Random) -> Iterator[Act]:
    zone = ZoneInfo(week.timezone)
    for number, entry in enumerate(history.entries):
        at = moment(entry.at, week.monday, zone)
        lateness = timedelta(seconds=rng.randint(1, MAX_LATENESS_S))
        reported_at = at + (lateness if entry.reported is None else entry.reported)
        if entry.answer is not None:
            if entry.link is None or entry.role is None or entry.agency is None:
                raise ValueError(f"{history.key}, {entry.at}: an answer names agency, link and role")
            yield Answer(reported_at, history.key, entry.agency, entry.answer, entry.link, entry.role, entry.body)
        elif entry.type is not None:
            yield Publish(reported_at, history.key, *_event(entry, number, history, at, seed))
        else:
            raise ValueError(f"{history.key}, {entry.at}: an entry has a type or an answer")


def _event(entry: Entry, number: int, history: History, at: datetime, seed: int) -> tuple[str, Event]:
    assert entry.type is not None  # noqa: S101  # the caller asked
    publishers = sorted(event_type_named(entry.type).publishers)
    agency = entry.agency or publishers[0]
    data: dict[str, Any] = dict(entry.data)
    if entry.refs:
        data["references"] = [_reference(name, history) for name in entry.refs]
    if entry.people:
        data["parties"] = [_party("suspect", history.suspect), _party("victim", history.victim)]
    return agency, Event(
        id=event_id(seed, history.key, entry.id or str(number)),
        source=f"urn:placeholder-county:{agency}",
        type=entry.type,
        occurred_at=at,
        data=data,
        corrects=None if entry.corrects is None else event_id(seed, history.key, entry.corrects),
    )


def event_id(seed: int, history: str, name: str) -> str:
    """Id of an event of the script."""
    return derived("demo", str(seed), history, name)


def _reference(name: str, history: History) -> dict[str, str]:
    return {"kind": f"{name.partition('.')[0]}_no", "number": history.refs[name]}


def _party(role: str, person: Person) -> dict[str, Any]:
    party: dict[str, Any] = {
        "role": role,
        "name": {"given": person.given, "surname": person.surname},
        "birth_date": person.birth_date,
    }
    return party | {k: v for k in ("address", "phone") if (v := getattr(person, k)) is not None}
