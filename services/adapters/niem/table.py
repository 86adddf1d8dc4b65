"""What a document type's table says: which element becomes which field, what is required, which code list converts.

A table is data. `reader` works from it and `docs/niem.md` is written from it, so the two cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ccr_events.agencies import Agency
from ccr_events.payload import PartyRole, ReferenceKind
from services.adapters.niem.conversions import SHORT, Conversion

Paths = tuple[str, ...]
"""Alternatives in order of preference, in the language of `paths`; each starts with the name of a scope."""


class Family(StrEnum):
    """Whose exchange specification it is."""

    JTMP = "jtmp"
    OJBC = "ojbc"


@dataclass(frozen=True, slots=True)
class Row:
    """One field of the event and the elements it is read from."""

    field: str
    """Name in the payload."""
    paths: Paths
    convert: Conversion = SHORT
    required: bool = False
    many: bool = False
    """Every element at every path, rather than the first that holds something."""
    gravest: tuple[str, ...] = ()
    """Of several values the first in this order."""
    domestic: bool = False
    """Whether its words may say domestic violence."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """When a document tells an event, or an element is an item."""

    says: str
    paths: Paths
    convert: Conversion
    values: frozenset[str | bool] = frozenset()
    """It holds when a text at a path is read as one of these; empty: as anything."""
    negated: bool = False
    """It holds when no text is."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of the event (charges, counts), one entry per element; rows start at the scope `item`."""

    field: str
    paths: Paths
    rows: tuple[Row, ...]
    only: Condition | None = None
    """Which of the elements; all when None."""
    required: bool = False
    """The event is told only when the list has an entry."""


@dataclass(frozen=True, slots=True)
class Number:
    """An agency's number that points to the case."""

    kind: ReferenceKind
    paths: Paths
    issuer: str = ""
    """Which of a jail's or court's several series it belongs to; empty for the main one."""
    first: bool = False
    """Only the first path that holds one: the others hold it in older releases, and something else in newer ones."""


@dataclass(frozen=True, slots=True)
class People:
    """Persons of one part in the case; each element found is, or has at `person`, a person."""

    role: PartyRole | None
    """None: read from `role_paths`."""
    paths: Paths
    person: Paths = ()
    """From the scope `holder`; empty when the element is the person."""
    role_paths: Paths = ()


@dataclass(frozen=True, slots=True)
class Default:
    """What a field is when no row gave it a value."""

    field: str
    value: str
    says: str
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class EventTable:
    """How one event is read."""

    type: str
    anchor: str
    """Scope name of the element that tells the event."""
    anchor_paths: Paths
    """One event per element found."""
    occurred_at: Paths
    numbers: tuple[Number, ...]
    """At least one of them is required: without it nobody could say whose case it is."""
    also: tuple[tuple[str, Paths], ...] = ()
    """Further scopes, each by its only element; several candidates are none."""
    subjects: Paths = ()
    """Suspects, one event each; the event is told without when there is none."""
    rows: tuple[Row, ...] = ()
    items: tuple[Items, ...] = ()
    defaults: tuple[Default, ...] = ()
    """The first that holds."""
    people: tuple[People, ...] = ()
    indicators: Paths = ()
    """The document's own domestic-violence indicators."""
    conditions: tuple[Condition, ...] = ()
    optional: bool = False
    """Whether a document may lack the anchor."""
    dual: bool = False
    """Whether a subject who is also a victim of the document makes it a dual arrest."""
    time_of_receipt: bool = False
    """Whether the time of receipt stands in when the document does not say when the act happened."""


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """How one document type is read."""

    family: Family
    root: str
    """Name of the root element, in the prefixes of `namespaces`."""
    title: str
    agency: Agency
    """Who publishes it, unless said otherwise."""
    events: tuple[EventTable, ...] = ()
    skipped: str = ""
    """Why a document of this type tells no event; such documents are recognised and left out."""
    operation: Paths = ()
    """Elements that a message operation code (add, update, delete) may be attached to."""
