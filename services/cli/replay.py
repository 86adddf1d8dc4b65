"""`ccr replay`: everything derived from the log derived anew, compared byte for byte, and what differs repaired."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.asked import SMALLEST_CELL, Asked, Since, SmallestCell, Until
from services.cli.histories import Store, chosen, existing
from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data, Key, Policies

if TYPE_CHECKING:
    from services.casebook.replay import Report

MAX_TOLD = 10
"""Differences, and repaired cases, told one by one; --json holds more."""
MAX_NAMED = 1_000
"""Repaired cases that --json names."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=KEEP, epilog='Example: ccr replay --as-of "2 days ago" --case 26-0101')(replay)


def replay(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="With --indicators: only these.")
    ] = None,
    data: Data = DEFAULT_DATA,
    store: Store = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing: only compare, and say what differs.")
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="TIME",
            help="Show what was known at this time: 2026-03-02, 2026-03-02T14:00, now, yesterday, 2 days ago.",
        ),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option("--case", metavar="ID|NUMBER", help="With --as-of: a case, by id or by a number of it."),
    ] = None,
    indicators: Annotated[bool, typer.Option("--indicators", help="With --as-of: the indicators.")] = False,
    since: Since = None,
    until: Until = None,
    smallest: SmallestCell = SMALLEST_CELL,
    policies: Policies = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Derive every case view, link and deadline anew from the log of events, and repair what differs.

    The service may run: cases that differ are written anew one by one, by the service itself, and whoever reads sees a
    case as it was before or as it is after, never empty. Nobody is alerted by it. With --verify nothing is written.
    A difference that is left ends the command with exit status 1.

    With --as-of nothing is written either: it shows a case or the indicators as they stood. What counts is when
    something was recorded, not when it happened: what was reported later was not known then. A day alone means its end.
    This looks at the store of ccr worker too, with --store; deriving anew is what its casebook workers do, started
    without their --data.

    Needs no master key: nothing sealed is opened.
    """
    from services.cli.refused import Refused

    if as_of is None:
        if case is not None or indicators or names or since or until:
            raise Refused("say the time with --as-of TIME; now is one")
        _repair(existing(data), policies, key, verify=verify, as_json=as_json)
    elif verify or (case is None) == (not indicators):
        raise Refused("with --as-of, ask for one thing: --case ID, or --indicators")
    elif case is not None:
        from services.cli.standing import show_case

        show_case(chosen(context, data, store), case, as_of, policies, as_json=as_json)
    else:
        from services.cli.indicators import show_indicators

        asked = Asked(as_of, since, until, smallest, tuple(names or ()))
        show_indicators(chosen(context, data, store), asked, policies, as_json=as_json)


def _repair(directory: Path, policies: Path | None, key: str | None, *, verify: bool, as_json: bool) -> None:
    from ccr_events.policy import load_policies
    from services.casebook import replay as casebook
    from services.cli.printing import json_line, say
    from services.cli.progress import progress
    from services.cli.replay_repair import repair

    source = partial(load_policies, policies)
    with progress("reading the log anew") as advance:
        report = casebook.verify(directory, source, advance)
    repaired: list[str] = []
    if not verify and (report.repairable or report.strays):
        repaired = sorted(report.repairable)
        if not as_json:
            _tell(report)
        with progress("writing cases anew") as advance:
            repair(directory, repaired, source, key, advance, strays=report.strays)
        with progress("reading the log again") as advance:
            report = casebook.verify(directory, source, advance)
    if as_json:
        named = repaired[:MAX_NAMED]
        json_line({"verified": verify, **_form(report), "repaired": len(repaired), "repaired_cases": named})
    else:
        if repaired:
            more = " …" if repaired[MAX_TOLD:] else ""
            say(f"repaired {len(repaired):,} cases: {', '.join(repaired[:MAX_TOLD])}{more}")
        _tell(report)
        if not report.identical:
            _advise(report, verify=verify)
    if not report.identical:
        raise typer.Exit(1)


def _tell(report: Report) -> None:
    from services.cli.printing import say, warn

    done = f"{report.events:,} events, {report.cases:,} cases, {report.links:,} links"
    if report.identical:
        say(f"identical: {done}; every view, link, deadline and alert is what the log says")
        return
    counts = Counter(difference.part for difference in report.differences)
    warn(f"{report.different:,} differences in {done}: {', '.join(f'{n} {part}' for part, n in counts.most_common())}")
    for difference in report.differences[:MAX_TOLD]:
        warn(f"  {difference.part} of case {difference.case_id or '-'} {difference.link_id or ''}".rstrip())


def _advise(report: Report, *, verify: bool) -> None:
    from services.cli.printing import warn

    if verify and (report.repairable or report.strays):
        warn("Keep a copy of the directory; then run  ccr replay  to write these cases anew from the log")
    if any(difference.part in ("log", "outbox") for difference in report.differences):
        warn("The log itself, or what was told of it, differs: that is not repaired. Compare with the newest backup")


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
