"""`ccr ingest`: documents (NIEM) and tables (CSV) of agencies' own systems, read and published."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ccr_events.agencies import Agency
from ccr_events.envelope import write_structured
from services.adapters.niem import DocumentError, Reading, read_document
from services.adapters.niem.document import MAX_DOCUMENT_BYTES
from services.adapters.niem.times import DEFAULT_ZONE
from services.cli.client import Client
from services.cli.connection import connect
from services.cli.import_run import Asked
from services.cli.import_targets import SpoolTarget
from services.cli.ingest_tables import are_tables, ingest_tables
from services.cli.ingested import Outcome, show, summarise
from services.cli.options import DEFAULT_DATA, PUBLISH, AsJson, Data, Key, Spool, Url
from services.cli.printing import console, json_line
from services.cli.refused import FAILED, Refused
from services.cli.spooling import tell_spooled

MAX_FILES = 10_000
"""Most documents of one command."""
HELD = 100_000_000
"""Characters of sealed sources read before they are sent. Documents held together are sent in the order in which what
they tell happened, so that a booking finds the case of its arrest whatever the files are called."""
STDIN = "-"


@dataclass(frozen=True, slots=True)
class _Sender:
    """A connection per agency, opened when it is first needed."""

    data: Path
    url: str | None
    key: str | None
    outcome: Outcome
    opened: ExitStack
    alerting: bool = True
    spool: SpoolTarget | None = None
    clients: dict[Agency, Client] = field(default_factory=dict)

    def send(self, name: str, reading: Reading) -> None:
        """Publish one document's events and count the answers."""
        if self.spool is not None:
            forms = [write_structured(event) for event in reading.events]
            self.spool.publish(reading.agency.value, forms, alerting=self.alerting)
            self.outcome.spooled += len(forms)
            return
        if reading.agency not in self.clients:
            client = connect(self.data, self.url, self.key, reading.agency.value)
            self.clients[reading.agency] = self.opened.enter_context(client)
        try:
            receipts = self.clients[reading.agency].publish(reading.events, alerting=self.alerting)
        except Refused as error:
            self.outcome.failures.append((name, f"was not sent: {error}"))
        else:
            self.outcome.note(name, reading, receipts)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest", rich_help_panel=PUBLISH)(ingest)


def ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="NIEM documents, directories of them, glob patterns, - for one on standard input; or tables (.csv).",
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
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How tables are read; see docs/csv.md and ccr csv init.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="For tables: read and judge every row, send nothing, report.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="With --check: show the table's words that have no code yet.")
    ] = False,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="History from before the backbone: kept and folded, nobody is alerted.")
    ] = False,
    spool: Spool = None,
    as_json: AsJson = False,
) -> None:
    """Read NIEM documents (New Orleans JTMP, OJBC) or tables (CSV, with a mapping) and publish what they tell.

    Every element that is read, and what is required, is in docs/niem.md. A document that cannot be read is named with
    the path of what is wrong, and nothing of it is published; the others go on. A document sent again changes nothing.

    Try:  ccr ingest --dry-run booking.xml   then   ccr ingest booking.xml   and watch   ccr watch
    """
    if are_tables(files, mapping):
        asked = Asked(files, mapping, agency, timezone, None, data, url, key)
        ingest_tables(asked, backfill=backfill, spool=spool, check=check or dry_run, words=words, as_json=as_json)
        return
    zone = _zone(timezone)
    dry_run = dry_run or check
    names = list(_documents(files))
    outcome = Outcome(files=len(names))
    with ExitStack() as opened, _progress(quiet=as_json or dry_run) as progress:
        kept = None if spool is None else SpoolTarget(spool, data, url, key, opened)
        sender = _Sender(data, url, key, outcome, opened, not backfill, kept)
        bar = progress.add_task("documents", total=2 * len(names))
        held: list[tuple[str, Reading]] = []
        size = 0
        for number, name in enumerate(names, start=1):
            reading = _read(name, outcome, agency=agency, zone=zone, samples=samples)
            progress.advance(bar)
            if reading is not None and reading.events:
                held.append((name, reading))
                size += len(reading.events[0].data["source_document"])
            if size > HELD or number == len(names):
                for held_name, held_reading in sorted(held, key=_first_act):
                    if not dry_run:
                        sender.send(held_name, held_reading)
                    elif not as_json:
                        show(held_name, held_reading)
                    progress.advance(bar)
                held, size = [], 0
        progress.update(bar, completed=2 * len(names))
        spooled = None if kept is None or dry_run else kept.finish()
    if as_json and spooled is not None:
        json_line({**outcome.as_json(), "spool": spooled.as_json()})
    elif as_json:
        json_line(outcome.as_json())
    else:
        summarise(outcome, data, dry_run=dry_run)
    if spooled is not None and spool is not None and not as_json:
        tell_spooled(spooled, spool)
    if outcome.failures or (spooled is not None and spooled.newly_refused):
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


def _first_act(held: tuple[str, Reading]) -> datetime:
    return min(event.occurred_at for event in held[1].events)
