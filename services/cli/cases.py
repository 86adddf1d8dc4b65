"""`ccr case` shows a case's history; `ccr open` opens sealed fields of one event, on the record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ccr_events.codes.backbone import ReadPurpose
from ccr_events.labels import Label
from services.cli.options import ANSWER, DEFAULT_DATA, As, AsJson, Data, Key, Url

_ELSEWHERE = frozenset({"references", "dv"})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("case", rich_help_panel=ANSWER, epilog="Example: ccr case 26-0101")(case)
    app.command(
        "open",
        rich_help_panel=ANSWER,
        epilog="Example: ccr open 019a0000-0000-7000-8000-000000000001 --as le --label VLOC --purpose safety",
    )(open_event)


def case(
    case_id: Annotated[
        str,
        typer.Argument(metavar="CASE", help="A number of the case that its links show, or its id, or how that begins."),
    ],
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened in a case, in order, and the protocol links it holds. Sealed fields stay sealed."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.link_rows import COLUMNS, link_row
    from services.cli.printing import json_line, say, table

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        found = client.case(ids.case_id(client, case_id))
    if as_json:
        json_line(found)
        return
    say(f"case {found['case_id']}")
    table(
        ("occurred", "agency", "event", "open fields", "sealed", "id"),
        [_event_row(event) for event in found["timeline"]],
        none="No events that this agency may see.",
    )
    say("")
    now = datetime.now(UTC)
    table(COLUMNS, [link_row(link, now) for link in found["links"]], none="No protocol links.")


def open_event(
    event_id: Annotated[str, typer.Argument(metavar="EVENT", help="Id of the event, whole.")],
    label: Annotated[list[Label], typer.Option(help="Kind of information to open. May be repeated.")],
    purpose: Annotated[ReadPurpose, typer.Option(help="Why; it is written to the audit log.")],
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Open sealed fields of one event, as far as this agency may read them. Every request is audited."""
    from services.cli.connection import connect, speaker
    from services.cli.printing import json_line, pairs, say, warn

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        opened = client.open_event(event_id, [one.value for one in label], purpose.value)
    if as_json:
        json_line(opened)
        return
    for name, why in opened.get("denied", {}).items():
        warn(f"{name} was not opened: {why}")
    for name, fields in opened.get("fields", {}).items():
        say(f"{name}")
        pairs([(f"  {pointer}", str(value)) for pointer, value in fields.items()])
    if not opened.get("fields"):
        say("No field was opened.")


def _event_row(event: Mapping[str, Any]) -> tuple[str, ...]:
    from services.cli.spoken import agency_name, instant, local_time, references_text

    at = instant(event["occurred_at"])
    return (
        "" if at is None else local_time(at),
        agency_name(event["agency"]),
        event["type"],
        _open_fields(event.get("data", {})) or references_text(event.get("data", {})),
        ", ".join(event.get("sealed", ())),
        event["id"],
    )


def _open_fields(data: Mapping[str, Any]) -> str:
    plain = (str, int, float, bool)
    return ", ".join(f"{k} {v}" for k, v in data.items() if k not in _ELSEWHERE and isinstance(v, plain))
