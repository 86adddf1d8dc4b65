"""The scripted week as data: case histories of an invented county, read from `services/demo/week/*.yaml`.

A history is one dyad. Each of its entries is an event an agency reports, a NIEM document that arrives, an answer a
practitioner gives to a protocol link, or a decision about two cases that may be one. `at` is when the act happened;
`reported` is how long after that its agency reported it, so late and out-of-order reports are written plainly.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from ruamel.yaml import YAML

from services.demo.times import moment, span

COUNTY = "county.yaml"
"""The file that says where and when; every other file of the folder is one history."""

Span = Annotated[timedelta, BeforeValidator(span)]


class _Written(BaseModel):
    """Something written in the script: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Report(_Written):
    """An event an agency publishes."""

    at: str
    """Weekday and local time, `mon 21:14`; `+1 mon 09:00` is the week after, `-2 tue 10:00` two weeks before."""
    type: str
    agency: str | None = None
    """Who publishes it; may be left out where the type has one publisher."""
    refs: tuple[str, ...] = ()
    """Names from the history's `refs`."""
    people: bool = False
    """Whether the report names the two people."""
    data: dict[str, Any] = Field(default_factory=dict)
    """The payload; a moment or day in it is written as in `at`."""
    reported: Span | None = None
    id: str | None = None
    """A name for this event within the history, for `corrects`."""
    corrects: str | None = None
    twice: bool = False
    """Sent again a minute later, as after an answer that got lost."""
    spoiled: dict[str, Any] = Field(default_factory=dict)
    """Fields sent wrongly at first, so that the event is quarantined."""
    repaired: Span | None = None
    """How long after that it was repaired and redriven."""

    @model_validator(mode="after")
    def _whole(self) -> Report:
        if bool(self.spoiled) is (self.repaired is None):
            raise ValueError(f"{self.at} {self.type}: `spoiled` and `repaired` go together")
        return self


class Reply(_Written):
    """A practitioner's answer to the newest open link of a rule."""

    at: str
    agency: str
    """Who answers."""
    answer: Literal["acknowledge", "complete", "waive"]
    link: str
    """Key of the rule."""
    role: str
    owed_by: str | None = None
    """Agency that owes the act, where the answering agency is another."""
    body: dict[str, Any] = Field(default_factory=dict)


class Decision(_Written):
    """The tracking entity decides on the proposals that two cases of this history are one."""

    at: str
    merge: Literal["accept", "reject"]


class Document(_Written):
    """A NIEM document that arrives, instead of a report."""

    at: str
    """When it arrives; when the act happened is in the document."""
    document: str
    """Name of the file in `services/demo/documents`."""


class Person(_Written):
    """An invented person of a history."""

    given: str
    surname: str
    birth_date: str
    address: str | None = None
    phone: str | None = None


class History(_Written):
    """One dyad's week."""

    key: str
    about: str
    """What it shows, for a reader."""
    refs: dict[str, str]
    """Short name → number; the name's part before a dot is the reference kind without `_no`."""
    suspect: Person | None = None
    """None where only documents name the people."""
    victim: Person | None = None
    entries: tuple[Report | Reply | Decision | Document, ...]


class Release(_Written):
    """A written, time-limited release of information, as the advocacy program registers it."""

    id: str
    signed: str
    expires: str

    def covers(self, at: datetime, county: County) -> bool:
        """Whether it is live then."""
        zone, monday = county.zone, county.monday
        return moment(self.signed, monday, zone) <= at < moment(self.expires, monday, zone)


class County(_Written):
    """Where and when."""

    name: str
    timezone: str
    monday: date
    """First day of the week."""
    ends: str
    """Moment at which the clock stops, after the last act, so that what is then due fires too."""

    releases: tuple[Release, ...] = ()
    """What the advocacy program keeps in its own store."""

    @property
    def zone(self) -> ZoneInfo:
        """Its local time."""
        return ZoneInfo(self.timezone)


class Week(_Written):
    """The whole script."""

    county: County
    histories: tuple[History, ...]

    def release_is_live(self, release_id: str, at: datetime) -> bool:
        """The advocacy program's register of releases, kept by the program and not by the backbone."""
        return any(release.id == release_id and release.covers(at, self.county) for release in self.county.releases)


def load_week() -> Week:
    """The week that ships with the project; histories by key."""
    reader = YAML(typ="safe")
    folder = files("services.demo").joinpath("week")
    parts = {
        file.name: reader.load(file.read_text(encoding="utf-8"))
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }
    county = parts.pop(COUNTY)
    return Week.model_validate({"county": county, "histories": [parts[name] for name in sorted(parts)]})
