"""A written policy as a document: its shape, before its words are understood.

What `when` and `due` mean is checked in `conditions` and `deadlines`; what links must be, in `link_rules`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ccr_events.agencies import Agency
from ccr_events.policy.spans import Length
from ccr_events.policy.words import MAX_PARTS, ClockTime, Day, Line, Part, Prose, ZoneName
from ccr_events.policy.written_link import WrittenLink

MAX_LINKS = 200
"""Most links of one document."""


class Jurisdiction(Part):
    """Where the policy holds; its calendar of holidays and its clock follow from it."""

    name: Line
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,4}$")] | None = None
    timezone: ZoneName


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
