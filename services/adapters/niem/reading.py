"""The door of the adapter: one document's bytes to its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from ccr_events.agencies import Agency
from ccr_events.envelope import Event
from services.adapters.niem.catalogue import BY_ROOT
from services.adapters.niem.document import parse
from services.adapters.niem.domestic import DomesticCharges, domestic_charges
from services.adapters.niem.errors import DocumentError
from services.adapters.niem.reader import events_of
from services.adapters.niem.table import DocumentTable, Family
from services.adapters.niem.times import DEFAULT_ZONE
from services.adapters.niem.view import Settings, View, Warnings


@dataclass(frozen=True, slots=True)
class Reading:
    """What one document tells."""

    document_type: str
    """Family and title, such as `jtmp: Arrest report`."""
    agency: Agency
    """In whose name the events are published."""
    events: tuple[Event, ...] = field(repr=False)
    warnings: tuple[str, ...] = ()
    """What was left out or assumed, by path; no value of the document."""
    skipped: str = ""
    """Why a recognised document tells no event; empty when it tells some."""
    timed_by_receipt: bool = False
    """Whether the time of receipt stood in somewhere: read again later, the document gives the same event ids with
    another time, and the backbone answers that as a conflict instead of a duplicate."""


def read_document(
    raw: bytes,
    *,
    received_at: datetime,
    agency: Agency | None = None,
    zone: ZoneInfo = DEFAULT_ZONE,
    domestic: DomesticCharges | None = None,
    samples: bool = False,
) -> Reading:
    """Read a JTMP or OJBC document.

    `received_at` is aware; it stands in only where a document cannot say when its act happened. `agency` publishes
    in another name than the document type's owner. `zone` is the county's, for times without an offset. `domestic`
    replaces the table of charges that are domestic violence. `samples` makes up the case's number where a published
    sample holds a placeholder. Raises `DocumentError`, whose text names a path and repeats nothing of the document.
    """
    if received_at.tzinfo is None:
        raise ValueError("received_at must be an aware datetime")
    document = parse(raw)
    table = BY_ROOT.get(document.name)
    if table is None:
        raise DocumentError(_unknown(document.name))
    title = f"{table.family}: {table.title}"
    owner = agency or table.agency
    if table.skipped:
        return Reading(title, owner, (), (), table.skipped)
    settings = Settings(received_at, zone, domestic or domestic_charges(), samples)
    warnings = Warnings()
    view = View(document, settings, warnings, {"document": document.root}, {"document": f"/{table.root}"})
    events = events_of(view, table, raw, owner)
    return Reading(title, owner, events, warnings.lines(), timed_by_receipt=warnings.timed_by_receipt)


def _unknown(name: str) -> str:
    known = ", ".join(_told_by(family) for family in Family)
    prefix = name.partition(":")[0]
    family = {"nola": "a JTMP", "ojbc": "an OJBC"}.get(prefix)
    what = f"is {family} document of a type that is not mapped" if family else "is not a document of a known family"
    return f"{what}; known are {known} (see docs/niem.md)"


def _told_by(family: Family) -> str:
    tables: list[DocumentTable] = [table for table in BY_ROOT.values() if table.family is family and table.events]
    return f"{family.upper()} {', '.join(table.root.partition(':')[2] for table in tables)}"
