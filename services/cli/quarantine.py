"""`ccr quarantine`: what the backbone refused and kept, so that it can be repaired and sent again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ccr_events.codes.backbone import ReadPurpose
from services.cli.options import DEFAULT_DATA, PUBLISH, As, AsJson, Data, Key, Limit, Url

HeldId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the quarantined event; its first characters are enough.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="What was refused and kept: list, open for repair, send again.", no_args_is_help=True)
    group.command("list", epilog="Example: ccr quarantine list --as le")(list_held)
    group.command("show", epilog="Example: ccr quarantine show 5c01d2aa")(show)
    group.command("open", epilog="Example: ccr quarantine open 5c01d2aa --out repair.json")(open_held)
    group.command("redrive", epilog="Example: ccr quarantine redrive 5c01d2aa --file repair.json")(redrive)
    group.command("discard", epilog="Example: ccr quarantine discard 5c01d2aa")(discard)
    app.add_typer(group, name="quarantine", rich_help_panel=PUBLISH)


def list_held(
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List what waits, oldest first, with the reason. The submitted values are not shown."""
    from services.cli.connection import connect, speaker
    from services.cli.printing import json_line, table

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        held = client.quarantine(limit)
    if as_json:
        json_line({"quarantined": held})
    else:
        table(
            ("id", "received", "agency", "type", "refused because"),
            [_row(one) for one in held],
            none="Nothing waits in quarantine.",
        )


def show(
    quarantine_id: HeldId,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Show every field that was wrong, without its value."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.options import MAX_LIMIT
    from services.cli.printing import json_line, pairs
    from services.cli.refused import Refused

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        whole = ids.quarantine_id(client, quarantine_id)
        found = next((one for one in client.quarantine(MAX_LIMIT) if one["id"] == whole), None)
    if found is None:
        raise Refused("no such event waits in quarantine")
    if as_json:
        json_line(found)
        return
    received, agency, type_, title = _row(found)[1:]
    head = [("id", whole), ("received", received), ("agency", agency), ("type", type_), ("refused because", title)]
    pairs([*head, *((problem["pointer"] or "/", problem["message"]) for problem in _problems(found))])


def open_held(
    quarantine_id: HeldId,
    purpose: Annotated[ReadPurpose, typer.Option(help="Why; it is written to the audit log.")] = ReadPurpose.REPAIR,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a new file that only you may read.")
    ] = None,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
) -> None:
    """Show what was submitted, as it was submitted, for repair. It may be confidential; the read is audited."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.printing import say

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        raw = client.open_quarantined(ids.quarantine_id(client, quarantine_id), purpose.value)
    if out is None:
        typer.echo(raw)
        return
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(raw)
    say(f"written to {out}; delete it when the repair is done")


def redrive(
    quarantine_id: HeldId,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The repaired event; without it, what was submitted is tried again."),
    ] = None,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Submit it again. Refused again, it stays in quarantine and the command ends with exit status 1."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.printing import json_line, say

    repaired = None if file is None else _bounded(file)
    with connect(data, url, key, speaker(speaks_for, key)) as client:
        receipt = client.redrive(ids.quarantine_id(client, quarantine_id), repaired)
    if as_json:
        json_line(receipt)
    else:
        say(f"{receipt.get('status', 'accepted')}: event {receipt.get('event_id', '')}")


def discard(
    quarantine_id: HeldId,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Take it out of quarantine for good: it will never be an event."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.printing import json_line, say

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        whole = ids.quarantine_id(client, quarantine_id)
        client.discard(whole)
    if as_json:
        json_line({"id": whole, "state": "discarded"})
    else:
        say(f"discarded {whole}")


def _bounded(file: Path) -> bytes:
    from ccr_events.envelope import MAX_EVENT_BYTES
    from services.cli.refused import Refused

    with file.open("rb") as opened:
        raw = opened.read(MAX_EVENT_BYTES + 1)
    if not raw or len(raw) > MAX_EVENT_BYTES:
        raise Refused(f"{file} must hold one event of at most {MAX_EVENT_BYTES:,} bytes")
    return raw


def _problems(held: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return list(held.get("errors") or held.get("problems") or ())


def _row(held: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    from services.cli.spoken import SHORT_ID, agency_name, instant, local_time

    at = instant(held["received_at"])
    fields = ", ".join(problem["pointer"] or "/" for problem in _problems(held)[:3])
    return (
        held["id"][:SHORT_ID],
        "" if at is None else local_time(at),
        agency_name(held["agency"]),
        held["type"],
        f"{held['title']}{': ' + fields if fields else ''}",
    )
