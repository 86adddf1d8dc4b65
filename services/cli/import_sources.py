"""Files to events, step by step, each step with the place after it, so that an interrupted import goes on there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_types
from ccr_events.envelope import MAX_EVENT_BYTES, EnvelopeError, write_structured
from ccr_events.envelope.attributes import read_instant
from services.adapters.csv import Ledger, MappedRow, Planned, RejectedRow, SkippedRow, Table
from services.adapters.csv.rejects import Rejects, reasons, rejects_path
from services.adapters.niem import DocumentError, read_document
from services.adapters.niem.document import MAX_DOCUMENT_BYTES
from services.cli.event_files import read_events
from services.cli.refused import Refused

SAME_KEY = "has the key of another row and says something else: name more columns in `key`"


@dataclass(frozen=True, slots=True)
class Place:
    """Between two steps of one file."""

    offset: int = 0
    """Bytes of a table or of JSON lines; events of any other file."""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Item:
    """An event to send."""

    where: str
    agency: str
    form: Mapping[str, Any] = field(repr=False)
    occurred_at: datetime | None
    """None when the event does not say so in a way that can be read; the backbone then refuses it."""
    after: Place
    planned: Planned | None = None
    """Of a table's row."""
    again_conflicts: bool = False
    """Whether the same document read later gives another time, so that a conflict means that it is there already."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What became no event, and why."""

    where: str
    reason: str
    after: Place
    row: RejectedRow | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """What is no event of this run."""

    what: str
    """`skipped` or `unchanged`."""
    after: Place


Step = Item | Wrong | Passed


class Source(Protocol):
    """One file."""

    @property
    def path(self) -> Path:
        """Which."""

    def steps(self, start: Place | None) -> Iterator[Step]:
        """What it holds, from a place on."""

    def rejected(self, wrong: Wrong) -> None:
        """Keep what became no event, where the file has a place for it."""

    def kept(self) -> int:
        """Bytes of what `rejected` has kept; durable after `commit`."""

    def published(self, planned: Sequence[Planned], ids: Mapping[str, str]) -> None:
        """The backbone has these rows."""

    def commit(self) -> None:
        """Make durable what was noted."""

    def close(self) -> None:
        """Let its files go."""


@dataclass(slots=True)
class TableSource:
    """A table with its mapping. `go_on`: bytes of rejects that an interrupted run has kept; None: a new run."""

    path: Path
    table: Table
    ledger: Ledger
    go_on: int | None = None
    keep: bool = True
    """False: look only, keep no rejected row."""
    _rejects: Rejects | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.keep:
            self._rejects = Rejects(rejects_path(self.path), self.table.layout, go_on=self.go_on)

    def steps(self, start: Place | None) -> Iterator[Step]:
        """See `Source`."""
        agency = self.table.mapping.agency.value
        rows = self.table.rows() if start is None else self.table.rows(start.offset, start.line)
        for row in rows:
            after, where = Place(row.end, row.next_line), f"row {row.line}"
            if isinstance(row, SkippedRow):
                yield Passed("skipped", after)
            elif isinstance(row, RejectedRow):
                yield Wrong(where, reasons(row.problems), after, row)
            else:
                yield self._planned(row, agency, where, after)

    def _planned(self, row: MappedRow, agency: str, where: str, after: Place) -> Step:
        planned = self.ledger.planned(row.event)
        if planned.outcome == "unchanged":
            return Passed("unchanged", after)
        if planned.outcome == "same_key":
            wrong = RejectedRow(row.line, (("", SAME_KEY),), row.cells, row.end, row.next_line)
            return Wrong(where, SAME_KEY, after, wrong)
        event = planned.event
        return Item(where, agency, write_structured(event), event.occurred_at, after, planned)

    def rejected(self, wrong: Wrong) -> None:
        """See `Source`."""
        if wrong.row is not None and self._rejects is not None:
            self._rejects.add(wrong.row)

    def kept(self) -> int:
        """See `Source`."""
        return 0 if self._rejects is None else self._rejects.size()

    def published(self, planned: Sequence[Planned], ids: Mapping[str, str]) -> None:
        """See `Source`."""
        self.ledger.published(planned, ids)

    def commit(self) -> None:
        """See `Source`."""
        if self._rejects is not None:
            self._rejects.flush()
        self.ledger.commit()

    def close(self) -> None:
        """See `Source`."""
        if self._rejects is not None:
            self._rejects.close()
        self.table.close()


@dataclass(frozen=True, slots=True)
class _Plain:
    """A file that keeps no notes of its own."""

    path: Path

    def rejected(self, wrong: Wrong) -> None:
        """Nothing: the file itself still has it."""

    def kept(self) -> int:
        """Nothing."""
        return 0

    def published(self, planned: Sequence[Planned], ids: Mapping[str, str]) -> None:
        """Its events have ids of their own."""

    def commit(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class LinesSource(_Plain):
    """CloudEvents, one a line. `agency`: whose all of them are; None: of whoever alone may publish the type."""

    agency: Agency | None = None

    def steps(self, start: Place | None) -> Iterator[Step]:
        """See `Source`."""
        place = start or Place()
        with self.path.open("rb") as file:
            file.seek(place.offset)
            offset, number = place.offset, place.line - 1
            while raw := file.readline(MAX_EVENT_BYTES + 2):
                number += 1
                if len(raw) > MAX_EVENT_BYTES:
                    while raw and not raw.endswith(b"\n"):
                        raw = file.readline(MAX_EVENT_BYTES)
                    offset = file.tell()
                    yield Wrong(
                        f"line {number}", f"is longer than {MAX_EVENT_BYTES:,} bytes", Place(offset, number + 1)
                    )
                    continue
                offset += len(raw)
                if text := raw.removeprefix(b"\xef\xbb\xbf").strip():
                    yield _form_step(text, f"line {number}", self.agency, Place(offset, number + 1))


@dataclass(frozen=True, slots=True)
class JsonSource(_Plain):
    """One CloudEvent or an array of them."""

    agency: Agency | None = None

    def steps(self, start: Place | None) -> Iterator[Step]:
        """See `Source`."""
        passed = 0 if start is None else start.offset
        try:
            forms = read_events(self.path)
        except Refused as error:  # too large, or no JSON
            yield Wrong("", str(error), Place(passed))
            return
        for number, form in enumerate(forms[passed:], start=passed + 1):
            yield _read_form(form, f"event {number}", self.agency, Place(number))


@dataclass(frozen=True, slots=True)
class DocumentSource(_Plain):
    """A NIEM document; all of its events or none."""

    zone: ZoneInfo
    agency: Agency | None = None
    samples: bool = False

    def steps(self, start: Place | None) -> Iterator[Step]:
        """See `Source`."""
        with self.path.open("rb") as file:
            raw = file.read(MAX_DOCUMENT_BYTES + 1)
        try:
            reading = read_document(
                raw, received_at=datetime.now(UTC), agency=self.agency, zone=self.zone, samples=self.samples
            )
        except DocumentError as error:
            yield Wrong("", str(error), Place(1))
            return
        if reading.skipped:
            yield Passed("skipped", Place(1))
        for event in reading.events:
            yield Item(
                where="",
                agency=reading.agency.value,
                form=write_structured(event),
                occurred_at=event.occurred_at,
                after=Place(1),
                again_conflicts=reading.timed_by_receipt,
            )


def _form_step(text: bytes, where: str, agency: Agency | None, after: Place) -> Step:
    try:
        form = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Wrong(where, "is not JSON", after)
    return _read_form(form, where, agency, after)


def _read_form(form: Any, where: str, agency: Agency | None, after: Place) -> Step:
    if not isinstance(form, dict):
        return Wrong(where, "is no JSON object: an event is one", after)
    found = agency or _only_publisher(form.get("type"))
    if found is None:
        return Wrong(where, "does not tell whose it is: say it with --agency", after)
    try:
        at = read_instant(form.get("time"))
    except EnvelopeError:
        at = None
    return Item(where, found.value, form, at, after)


def _only_publisher(name: object) -> Agency | None:
    declared = event_types().get(name) if isinstance(name, str) else None
    return next(iter(declared.publishers)) if declared is not None and len(declared.publishers) == 1 else None
