"""`ccr schema`: the event types of the contract, for those who write adapters."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import LEARN, AsJson


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Event types an agency publishes: fields, confidentiality, examples.", no_args_is_help=True
    )
    group.command("list", epilog="Example: ccr schema list --agency le")(list_types)
    group.command("show", epilog="Example: ccr schema show arrest.made")(show)
    app.add_typer(group, name="schema", rich_help_panel=LEARN)


def list_types(
    agency: Annotated[Agency | None, typer.Option(help="Only types that this agency may publish.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the event types: who may publish each, and what it says."""
    from ccr_events.catalogue import event_types
    from services.cli.printing import json_line, table

    found = [t for _, t in sorted(event_types().items()) if agency is None or agency in t.publishers]
    if as_json:
        json_line(
            {
                "types": [
                    {"type": t.name, "version": t.version, "publishers": sorted(t.publishers), "summary": t.summary}
                    for t in found
                ]
            }
        )
    else:
        rows = [(t.name, ", ".join(_publishers(t.publishers)), t.summary) for t in found]
        table(("type", "published by", "it says"), rows, none="That agency publishes nothing.")


def show(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="For example arrest.made.")],
    example: Annotated[bool, typer.Option("--example", help="Only an example event, as JSON.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The JSON Schema, on one line.")] = False,
) -> None:
    """Show one event type: every field with what it may hold and whether it is sealed, and an example."""
    import orjson

    from ccr_events.catalogue import event_type_named
    from ccr_events.schemas.payload import payload_schema
    from services.cli.printing import json_line, say, table
    from services.cli.schema_words import example_of, fields_of

    found = event_type_named(event_type)
    if as_json:
        json_line(payload_schema(found))
        return
    if example:
        json_line(example_of(found, datetime.now(UTC)))
        return
    say(f"{found.name}, version {found.version}: {found.summary}")
    say(f"published by: {', '.join(_publishers(found.publishers))}")
    say("")
    rows = [
        (f.name, "yes" if f.required else "", f.kind, f"{f.label}{', sealed' if f.sealed else ''}", f.meaning)
        for f in fields_of(found)
    ]
    table(("field of data", "needed", "holds", "label", "meaning"), rows, none="")
    say("\nan example:\n")
    say(orjson.dumps(example_of(found, datetime.now(UTC)), option=orjson.OPT_INDENT_2).decode())


def _publishers(agencies: frozenset[Agency]) -> list[str]:
    if not agencies:
        return ["the backbone itself"]
    return ["every agency"] if len(agencies) == len(Agency) else sorted(agencies)
