"""`ccr spool`: events that wait on this machine until the backbone has them."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import DEFAULT_DATA, PUBLISH, AsJson, Data, Key, Limit, Url

if TYPE_CHECKING:
    from ccr_events.client import RefusedEvent, Spool

Directory = Annotated[
    Path, typer.Argument(metavar="DIR", help="What was given as --spool, or an adapter's own spool directory.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="What waits on this machine until the backbone has it.", no_args_is_help=True)
    group.command("status", epilog="Example: ccr spool status outbox")(status)
    group.command("send", epilog="Example: ccr spool send outbox")(send)
    group.command("refused", epilog="Example: ccr spool refused outbox")(refused)
    app.add_typer(group, name="spool", rich_help_panel=PUBLISH)


def status(directory: Directory, as_json: AsJson = False) -> None:
    """Show how much waits, since when, and how much was refused."""
    from services.cli.printing import json_line, table
    from services.cli.spoken import instant, local_time

    found = []
    for name, place in _spools(directory):
        spool = _opened(place)
        try:
            held = spool.held()
        finally:
            spool.close()
        oldest = None if held.oldest_at is None else held.oldest_at.isoformat()
        found.append(
            {"spool": name, "waiting": held.waiting, "refused": held.refused, "bytes": held.bytes, "oldest_at": oldest}
        )
    if as_json:
        json_line({"spools": found})
        return
    rows = []
    for one in found:
        oldest_at = instant(one["oldest_at"] if isinstance(one["oldest_at"], str) else None)
        since = "" if oldest_at is None else local_time(oldest_at)
        rows.append((str(one["spool"]), f"{one['waiting']:,}", since, f"{one['refused']:,}", f"{one['bytes']:,}"))
    table(("spool", "waiting", "since", "refused", "bytes"), rows, none="There is no spool here.")


def send(
    directory: Directory,
    agency: Annotated[
        Agency | None, typer.Option("--as", help="Only this agency's spool; also whose local key to use.")
    ] = None,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send what waits, in order. Ends with exit status 1 when some of it still waits, or was refused."""
    from services.cli.import_targets import SpoolTarget
    from services.cli.printing import json_line, say
    from services.cli.refused import FAILED, Refused
    from services.cli.spooling import tell_spooled

    spools = [(name, place) for name, place in _spools(directory) if agency is None or name in (agency.value, ".")]
    if key is not None and len(spools) > 1:
        raise Refused(f"{directory} holds spools of several agencies and --key is one agency's: say which with --as")
    left = 0
    with ExitStack() as opened:
        for name, place in spools:
            whose = agency.value if name == "." and agency is not None else name
            if whose == "." and key is None:
                raise Refused(f"whose spool is {directory}? Say it with --as, or give the key")
            target = SpoolTarget(place.parent, data, url, key, opened)
            target.use(place.name, whose)
            done = target.finish()
            if as_json:
                json_line({"spool": name, **done.as_json()})
            elif done.waiting or done.refused or done.counts:
                tell_spooled(done, directory)
            else:
                say(f"{name}: nothing waits")
            left += done.waiting + done.newly_refused
    if left:
        raise typer.Exit(FAILED)


def refused(
    directory: Directory,
    forget: Annotated[
        str | None, typer.Option(metavar="ID", help="Delete the refused event of this id: it was dealt with.")
    ] = None,
    again: Annotated[
        str | None, typer.Option(metavar="ID", help="Let the refused event of this id wait once more, as it is.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the events to a new file that only you may read.")
    ] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List what the backbone refused, with the reasons; what the events hold is not shown."""
    from services.cli.printing import json_line, table
    from services.cli.refused import Refused

    found: list[tuple[str, RefusedEvent]] = []
    changed = 0
    for name, place in _spools(directory):
        spool = _opened(place)
        try:
            for one in spool.refused(limit):
                if one.event_id == forget:
                    changed += spool.forget(one.seq)
                elif one.event_id == again:
                    changed += spool.again(one.seq)
                else:
                    found.append((name, one))
        finally:
            spool.close()
    if (forget or again) and not changed:
        raise Refused("no refused event of that id is here: the whole id is needed")
    if out is not None:
        _write(out, [one for _, one in found])
    if as_json:
        json_line({"refused": [_form(name, one) for name, one in found[:limit]]})
    else:
        table(
            ("spool", "event", "answer", "because", "quarantine"),
            [(name, r.event_id, r.status, _why(r), r.quarantine_id or "") for name, r in found[:limit]],
            none="Nothing was refused.",
        )


def _spools(directory: Path) -> list[tuple[str, Path]]:
    """(name, place): one a agency, or the directory itself, called `.`; raises `Refused` when there is none."""
    from ccr_events.client.spool import DATABASE
    from services.cli.refused import Refused

    if (directory / DATABASE).is_file():
        return [(".", directory)]
    found = [(p.parent.name, p.parent) for p in sorted(directory.glob(f"*/{DATABASE}"))]
    if not found:
        raise Refused(f"{directory} holds no spool")
    return found


def _opened(place: Path) -> Spool:
    from ccr_events.client import Spool

    return Spool(place)


def _why(event: RefusedEvent) -> str:
    problems = "; ".join(f"{pointer} {message}" for pointer, message in event.problems)
    return ": ".join(part for part in (event.title, problems) if part)


def _form(name: str, event: RefusedEvent) -> dict[str, object]:
    return {
        "spool": name,
        "event_id": event.event_id,
        "status": event.status,
        "title": event.title,
        "errors": [{"pointer": pointer, "message": message} for pointer, message in event.problems],
        "quarantine_id": event.quarantine_id,
        "refused_at": event.refused_at.isoformat(),
    }


def _write(path: Path, events: list[RefusedEvent]) -> None:
    import orjson

    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps([dict(event.event) for event in events]))
