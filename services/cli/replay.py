"""`ccr replay`: everything derived from the log, derived anew; with --verify, compared byte for byte."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data, Policies

if TYPE_CHECKING:
    from services.casebook.replay import Report

MAX_TOLD = 10
"""Differences told one by one; --json holds more."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=KEEP, epilog="Example: ccr replay --verify")(replay)


def replay(
    data: Data = DEFAULT_DATA,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing: rebuild in memory and compare. The service may run.")
    ] = False,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild every case view, link and deadline from the log of events.

    With --verify nothing is written: what is stored is compared byte for byte with what the log says, and a difference
    ends the command with exit status 1. Without it, stored views and links are written anew; stop the service first.
    Needs no master key: replay opens nothing sealed.
    """
    from ccr_events.policy import load_policies
    from services.casebook import replay as casebook
    from services.cli.printing import json_line
    from services.cli.progress import progress

    directory = _existing(data)
    book = load_policies(policies)
    with progress("verifying" if verify else "rebuilding") as advance:
        report = (casebook.verify if verify else casebook.rebuild)(directory, book, advance)
    if as_json:
        json_line({"verified": verify, **_form(report)})
    else:
        _tell(report, verify=verify)
    if not report.identical:
        raise typer.Exit(1)


def _existing(data: Path) -> Path:
    """A data directory that holds a log: replaying a mistyped one must not create it."""
    from services.cli.refused import Refused
    from services.engine.sqlite.database import DATABASE

    if not (data / DATABASE).is_file():
        raise Refused(f"{data} holds no log: is it the right directory?")
    return data


def _tell(report: Report, *, verify: bool) -> None:
    from services.cli.printing import say, warn

    done = f"{report.events:,} events, {report.cases:,} cases, {report.links:,} links"
    if not verify:
        say(f"rebuilt from the log: {done}")
        return
    if report.identical:
        say(f"identical: {done}; every view, link, deadline and alert is what the log says")
        return
    counts = Counter(difference.part for difference in report.differences)
    warn(f"{report.different:,} differences in {done}: {', '.join(f'{n} {part}' for part, n in counts.most_common())}")
    for difference in report.differences[:MAX_TOLD]:
        warn(f"  {difference.part} of case {difference.case_id or '-'} {difference.link_id or ''}".rstrip())
    warn("Keep a copy of the directory; then stop the service and run  ccr replay  to write them anew from the log")


def _form(report: Report) -> dict[str, Any]:
    return {
        "identical": report.identical,
        "events": report.events,
        "cases": report.cases,
        "links": report.links,
        "transitions": report.transitions,
        "different": report.different,
        "differences": [{"part": d.part, "case_id": d.case_id, "link_id": d.link_id} for d in report.differences],
    }
