"""`ccr csv`: help with mappings of tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import PUBLISH


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Tables (CSV): draft the mapping that reads one.", no_args_is_help=True)
    group.callback()(_nothing_in_common)
    group.command("init", epilog="Example: ccr csv init bookings.csv --type jail.booked --out bookings.yaml")(init)
    app.add_typer(group, name="csv", rich_help_panel=PUBLISH)


def _nothing_in_common() -> None:
    """Makes `ccr csv` a group although it has one command."""


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The table; only its first line is read.")],
    event_type: Annotated[str, typer.Option("--type", metavar="TYPE", help="What its rows tell; see ccr schema list.")],
    agency: Annotated[
        Agency | None, typer.Option("--agency", metavar="ID", help="Whose table it is, when several may publish that.")
    ] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Of the table's times.")] = "America/Chicago",
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to a new file.")] = None,
) -> None:
    """Draft a mapping from a table's header. It is a start: check every line of it.

    Columns that are called like a field are filled in; the others and the free fields are listed below.
    """
    from ccr_events.catalogue import UnknownEventType
    from services.adapters.csv import TableError
    from services.adapters.csv.draft import drafted
    from services.cli.printing import say
    from services.cli.refused import Refused

    try:
        text = drafted(file, event_type, agency, timezone)
    except (TableError, UnknownEventType, ValueError) as error:
        raise Refused(f"{file}: {error}") from None
    if out is None:
        typer.echo(text, nl=False)
        return
    with out.open("x", encoding="utf-8") as written:
        written.write(text)
    say(f"written to {out}: check every line, then  ccr ingest {file} --mapping {out} --check")
