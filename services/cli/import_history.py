"""`ccr import`: years of history into the backbone, without alerting anyone."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import DEFAULT_DATA, PUBLISH, AsJson, Data, Key, Policies, Url

if TYPE_CHECKING:
    from services.cli.import_progress import Progress

STATE = Path("ccr-import.state")
"""Where the progress of an import is kept unless told otherwise."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "import",
        rich_help_panel=PUBLISH,
        epilog="Example: ccr import bookings.csv --mapping bookings.yaml --live-from 2026-01-01T00:00:00-06:00",
    )(import_history)


def import_history(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="Tables (.csv, with --mapping), events (.json, .jsonl), NIEM documents (.xml), directories of them.",
        ),
    ],
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How the tables are read; see docs/csv.md.")
    ] = None,
    live_from: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="What happened at or after this time alerts as if it had just come in; before it, nothing does. "
            "Without it, everything is history.",
        ),
    ] = None,
    state: Annotated[
        Path, typer.Option(metavar="FILE", help="Progress is kept here; the same command again goes on.")
    ] = STATE,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Send nothing: try it on a backbone that is thrown away, and report."),
    ] = False,
    agency: Annotated[
        Agency | None,
        typer.Option(
            "--agency",
            metavar="ID",
            help="Whose events and documents these are; without it, that of the file's name (le.jsonl), of the one "
            "agency that may publish them, of the document type's owner.",
        ),
    ] = None,
    timezone: Annotated[
        str, typer.Option(metavar="ZONE", help="Of NIEM documents' times that state no offset.")
    ] = "America/Chicago",
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Load history: kept and folded like everything else, and nobody is alerted of it.

    Old deadlines wake nobody; a link that is still open and due in the future keeps its deadline. Everything is
    recorded now, and judged by the written policies of today, not by those of its time. Files are read in the order
    given and nothing is sorted: any order ends in the same cases and links. Interrupted, the same command goes on.
    """
    from services.cli.import_progress import Progress
    from services.cli.import_run import Asked, run_import

    start = _instant(live_from)
    asked = Asked(files, mapping, agency, timezone, start, data, url, key, policies)
    words = "without a live point" if start is None else f"live from {start.isoformat()}"
    progress = Progress(None if dry_run else state, words)
    try:
        links = run_import(asked, progress, dry_run=dry_run, quiet=as_json)
        _tell(links, progress, dry_run=dry_run, as_json=as_json)
    finally:
        progress.close()
    if progress.tally.refused:
        raise typer.Exit(1)


def _instant(text: str | None) -> datetime | None:
    """An aware time; one without an offset is of this machine's zone."""
    from datetime import UTC

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("give a time such as 2026-01-01T00:00:00-06:00", param_hint="--live-from") from None
    return found.astimezone(UTC)


def _tell(links: dict[str, int], progress: Progress, *, dry_run: bool, as_json: bool) -> None:
    from services.cli.printing import json_line, say

    cases = progress.cases()
    if as_json:
        told = {**progress.tally.as_json(), "cases": cases, "dry_run": dry_run}
        json_line({**told, "links": links} if dry_run else told)
        return
    rows = [("cases", f"{cases:,}"), ("sent as live", f"{progress.tally.alerting:,}")]
    if dry_run:
        rows += [(f"links {kind}", f"{count:,}") for kind, count in sorted(links.items()) if kind != "alerts"]
        rows.append(("alerts that would go out", f"{links.get('alerts', 0):,}"))
    progress.tally.tell(rows, sent="would be sent" if dry_run else "sent")
    say("Nothing was sorted: any order ends in the same cases and links.")
    if dry_run:
        say("Nothing was sent. The trial backbone and its key are deleted.")
    elif progress.tally.refused:
        say("Rows that could not be mapped are beside their file, in *.rejected.csv; refused events are in quarantine.")
