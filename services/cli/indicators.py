"""`ccr indicators`: how the agencies work together, in numbers, from what was recorded by a time."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.asked import SMALLEST_CELL, Asked, Since, SmallestCell, Until
from services.cli.histories import Store, chosen
from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data, Policies

if TYPE_CHECKING:
    from services.casebook.history import History
    from services.casebook.replay_crew import Opened


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=KEEP, epilog="Example: ccr indicators arrest_rate overdue --from 2026-01-01")(
        indicators
    )


def indicators(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these; all by default.")] = None,
    data: Data = DEFAULT_DATA,
    store: Store = None,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="TIME", help="From what was recorded by this time; default now.")
    ] = "now",
    since: Since = None,
    until: Until = None,
    smallest: SmallestCell = SMALLEST_CELL,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each one counts; reads no data.")] = False,
    policies: Policies = None,
    as_json: AsJson = False,
) -> None:
    """Show indicators of the whole system: per agency, never per worker, and no small numbers.

    Works beside a running service and writes nothing. Nothing sealed is opened, so nothing is split by race, sex or
    language here.
    """
    if explain:
        _explain(tuple(names or ()), as_json=as_json)
        return
    opened = chosen(context, data, store)
    show_indicators(opened, Asked(as_of, since, until, smallest, tuple(names or ())), policies, as_json=as_json)


def show_indicators(opened: Opened[History], asked: Asked, policies: Path | None, *, as_json: bool) -> None:
    """Measure and print."""
    from ccr_events.policy import load_policies
    from services.cli.printing import json_line, say, table, warn
    from services.cli.progress import progress
    from services.cli.spoken import agency_name, local_time
    from services.monitor.indicators.catalogue import named
    from services.monitor.indicators.over_log import measured
    from services.monitor.indicators.shown import shown

    window = asked.window()
    indicators = named(asked.names)
    with progress("reading every case") as advance:
        tally = measured(opened, partial(load_policies, policies), window, asked.names, advance)
    rows = list(shown(tally, indicators, asked.smallest))
    if asked.smallest < SMALLEST_CELL:
        warn("Small numbers are shown: they can tell who somebody is. Do not pass this on.")
    if as_json:
        json_line(
            {
                "as_of": window.as_of,
                "from": window.since,
                "to": window.until,
                "smallest_cell": asked.smallest,
                "indicators": [asdict(row) for row in rows],
            }
        )
        return
    say(f"From what was recorded by {local_time(window.as_of)}. <{asked.smallest} means: too few to be told.")
    table(
        ("indicator", "owed by", "value", "name"),
        [(row.title, agency_name(row.agency) if row.agency else "", row.text, row.key) for row in rows],
        none="Nothing of what these count was recorded by then.",
    )


def _explain(names: tuple[str, ...], *, as_json: bool) -> None:
    from services.cli.printing import json_line, pairs, say
    from services.monitor.indicators.catalogue import named

    explained = named(names)
    if as_json:
        fields = ("key", "chapter", "title", "unit", "counts", "of", "by_agency", "source")
        json_line({"indicators": [{name: getattr(one, name) for name in fields} for one in explained]})
        return
    for one in explained:
        say(f"{one.title}  ({one.key})")
        pairs([("unit", one.unit.value), ("counts", one.counts), ("of", one.of or "-"), ("source", one.source)])
        say("")
