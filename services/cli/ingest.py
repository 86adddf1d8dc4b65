"""`ccr ingest`: NIEM documents of agencies' own systems, read and published."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ccr_events.agencies import Agency
from ccr_events.catalogue import event_type_named
from ccr_events.skeleton import split
from ccr_events.validation import validate_as
from services.adapters.niem import DocumentError, Reading, read_document
from services.adapters.niem.document import MAX_DOCUMENT_BYTES
from services.adapters.niem.times import DEFAULT_ZONE
from services.cli.client import Client
from services.cli.connection import connect
from services.cli.options import DEFAULT_DATA, PUBLISH, AsJson, Data, Key, Url
from services.cli.printing import console, json_line, pairs, say, table
from services.cli.refused import FAILED, Refused
from services.engine.ports import Receipt

MAX_FILES = 10_000
"""Most documents of one command."""
STDIN = "-"
MASK = "•••"
"""What stands in a dry run where a confidential value is sealed."""


@dataclass(slots=True)
class Outcome:
    """What became of the documents of one command."""

    files: int = 0
    skipped: int = 0
    statuses: dict[str, int] = field(
        default_factory=lambda: {"accepted": 0, "duplicate": 0, "quarantined": 0, "conflict": 0, "forbidden": 0}
    )
    """Events by what the backbone answered."""
    cases: set[str] = field(default_factory=set)
    failures: list[tuple[str, str]] = field(default_factory=list)
    """(file, reason); a reason names paths and rules, never a value."""
    notes: list[tuple[str, str]] = field(default_factory=list)
    """(file, warning or why it was left out)."""

    def note(self, name: str, reading: Reading, receipts: list[Receipt]) -> None:
        """Count the answers to one document's events."""
        for event, receipt in zip(reading.events, receipts, strict=True):
            again = receipt.status == "conflict" and reading.timed_by_receipt
            status = "duplicate" if again else receipt.status
            self.statuses[status] += 1
            if receipt.case_id is not None:
                self.cases.add(receipt.case_id)
            if status not in ("accepted", "duplicate"):
                self.failures.append((name, _refusal(event.type, receipt)))

    def as_json(self) -> dict[str, Any]:
        """The command's one line."""
        return {
            "files": self.files,
            "skipped": self.skipped,
            **self.statuses,
            "cases": sorted(self.cases),
            "failures": [{"file": name, "reason": reason} for name, reason in self.failures],
            "notes": [{"file": name, "note": text} for name, text in self.notes],
        }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest", rich_help_panel=PUBLISH)(ingest)


def ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…", help="NIEM documents, directories of them, glob patterns, or - for one on standard input."
        ),
    ],
    agency: Annotated[
        Agency | None,
        typer.Option(
            "--agency",
            metavar="ID",
            help="Publish in this agency's name; without, in that of the document type's owner.",
        ),
    ] = None,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    timezone: Annotated[
        str, typer.Option("--timezone", metavar="ZONE", help="Zone of times that state no offset from UTC.")
    ] = DEFAULT_ZONE.key,
    samples: Annotated[
        bool,
        typer.Option("--samples", help="For published samples: make up the case's number where a placeholder stands."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be published, confidential fields masked; send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read NIEM documents (New Orleans JTMP, OJBC) and publish what they tell.

    Every element that is read, and what is required, is in docs/niem.md. A document that cannot be read is named with
    the path of what is wrong, and nothing of it is published; the others go on. A document sent again changes nothing.

    Try:  ccr ingest --dry-run booking.xml   then   ccr ingest booking.xml   and watch   ccr watch
    """
    zone = _zone(timezone)
    names = list(_documents(files))
    outcome = Outcome()
    with ExitStack() as opened, _progress(quiet=as_json or dry_run) as progress:
        bar = progress.add_task("documents", total=len(names))
        clients: dict[Agency, Client] = {}
        for name in names:
            outcome.files += 1
            reading = _read(name, outcome, agency=agency, zone=zone, samples=samples)
            if reading is not None and dry_run:
                _show(name, reading, as_json=as_json)
            elif reading is not None and reading.events:
                if reading.agency not in clients:
                    client = connect(data, url, key, reading.agency.value)
                    clients[reading.agency] = opened.enter_context(client)
                try:
                    outcome.note(name, reading, clients[reading.agency].publish(reading.events))
                except Refused as error:
                    outcome.failures.append((name, f"was not sent: {error}"))
            progress.advance(bar)
    if as_json:
        json_line(outcome.as_json())
    else:
        _summarise(outcome, data, dry_run=dry_run)
    if outcome.failures:
        raise typer.Exit(FAILED)


def _read(name: str, outcome: Outcome, *, agency: Agency | None, zone: ZoneInfo, samples: bool) -> Reading | None:
    try:
        raw = _bytes(name)
        reading = read_document(raw, received_at=datetime.now(UTC), agency=agency, zone=zone, samples=samples)
    except DocumentError as error:
        outcome.failures.append((name, str(error)))
        return None
    except OSError as error:
        outcome.failures.append((name, f"cannot be opened: {error.strerror or type(error).__name__}"))
        return None
    if reading.skipped:
        outcome.skipped += 1
        outcome.notes.append((name, f"left out: {reading.skipped}"))
    outcome.notes += [(name, warning) for warning in reading.warnings]
    return reading


def _bytes(name: str) -> bytes:
    """The document; one byte beyond the bound is enough for the reader to refuse it."""
    if name == STDIN:
        return sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_DOCUMENT_BYTES + 1)


def _documents(files: list[str]) -> Iterator[str]:
    """Every document named, directories and patterns spelled out, each once."""
    found: dict[str, None] = {}
    for name in files:
        found.update(dict.fromkeys(_spelled_out(name)))
        if len(found) > MAX_FILES:
            raise Refused(f"more than {MAX_FILES:,} documents: ingest them in parts")
    return iter(found)


def _spelled_out(name: str) -> Iterator[str]:
    path = Path(name)
    if name == STDIN or path.is_file():
        yield name
    elif path.is_dir():
        inside = sorted(str(found) for found in path.rglob("*.xml"))
        if not inside:
            raise Refused(f"{name} holds no .xml file")
        yield from inside
    elif any(character in name for character in "*?["):
        root, pattern = (Path(path.anchor), str(path.relative_to(path.anchor))) if path.anchor else (Path(), name)
        matching = sorted(str(found) for found in root.glob(pattern) if found.is_file())
        if not matching:
            raise Refused(f"no file matches {name}")
        yield from matching
    else:
        raise Refused(f"there is no file {name}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter("no such zone: give one such as America/Chicago", param_hint="--timezone") from None


def _refusal(event_type: str, receipt: Receipt) -> str:
    where = f" (quarantine {receipt.quarantine_id})" if receipt.quarantine_id else ""
    problems = "; ".join(f"{problem.pointer} {problem.message}" for problem in receipt.problems)
    words = ": ".join(part for part in (receipt.title, problems) if part)
    return f"{event_type} {receipt.status}{where}: {words}" if words else f"{event_type} {receipt.status}{where}"


def _progress(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(stderr=True),
        disable=quiet,
        transient=True,
    )


def _show(name: str, reading: Reading, *, as_json: bool) -> None:
    """What would be published, open fields as they are, sealed ones masked."""
    if as_json:
        return
    say(f"{name}: {reading.document_type}, as {reading.agency}")
    for event in reading.events:
        say(f"  {event.type} at {event.occurred_at.isoformat()}")
        event_type = event_type_named(event.type)
        skeleton = split(validate_as(event_type, event.schema_version, event.data))
        shown = [(f"    {name}", str(value)) for name, value in skeleton.open.items()]
        for label, values in skeleton.sealed.items():
            shown += [(f"    {pointer}", f"{MASK} sealed as {label}") for pointer in values]
        pairs(shown)


def _summarise(outcome: Outcome, data: Path, *, dry_run: bool) -> None:
    if outcome.notes:
        table(("document", "note"), [(Path(name).name, text) for name, text in outcome.notes], none="")
        say("")
    if outcome.failures:
        table(("document", "not published, because"), [(Path(n).name, why) for n, why in outcome.failures], none="")
        say("")
    counted = [("documents", str(outcome.files)), ("left out", str(outcome.skipped))]
    if not dry_run:
        counted += [(f"events {status}", str(count)) for status, count in outcome.statuses.items()]
        counted.append(("cases", str(len(outcome.cases))))
    counted.append(("failures", str(len(outcome.failures))))
    pairs(counted)
    if dry_run:
        say("Nothing was sent. Publish with the same command without --dry-run.")
    elif outcome.cases:
        where = "" if data == DEFAULT_DATA else f" --data {data}"
        say(f"See what they oblige whom to do:  ccr links{where}   and a case:  ccr case{where} {min(outcome.cases)}")
