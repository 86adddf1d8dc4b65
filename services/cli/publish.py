"""`ccr publish`: events from a file to the backbone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ccr_events.agencies import Agency
from services.cli.options import DEFAULT_DATA, PUBLISH, AsJson, Data, Key, Spool, Url

if TYPE_CHECKING:
    from services.engine.ports import Receipt

MAX_TOLD = 20
"""Most refused events told one by one; --json holds all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=PUBLISH,
        epilog="Example: ccr schema show arrest.made --example | ccr publish - --as le",
    )(publish)


def publish(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="One CloudEvent, a JSON array, or one a line; - reads standard input."),
    ],
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: Annotated[
        Agency | None,
        typer.Option("--as", help="Whose local key to use; by default the one agency that may publish these types."),
    ] = None,
    backfill: Annotated[
        bool, typer.Option("--backfill", help="History from before the backbone: kept and folded, nobody is alerted.")
    ] = False,
    spool: Spool = None,
    as_json: AsJson = False,
) -> None:
    """Publish events (CloudEvents 1.0, JSON format).

    Publishing the same event twice is harmless: its id is its identity. What the backbone refuses stays in its
    quarantine with the reason, see ccr quarantine list; the command then ends with exit status 1.
    """
    from services.cli.connection import connect, speaker
    from services.cli.event_files import read_events
    from services.cli.printing import json_line

    forms = read_events(file)
    if spool is not None:
        _keep(
            spool, forms, speaks_for or _only_publisher(forms), data, url, key, alerting=not backfill, as_json=as_json
        )
        return
    whom = speaker(speaks_for or (_only_publisher(forms) if key is None else None), key)
    with connect(data, url, key, whom) as client:
        receipts = client.publish_forms(forms, alerting=not backfill)
    counts: Counter[str] = Counter(receipt.status for receipt in receipts)
    if as_json:
        json_line({**counts, "receipts": [_form(receipt) for receipt in receipts]})
    else:
        _tell(receipts, counts)
    if counts.total() != counts["accepted"] + counts["duplicate"]:
        raise typer.Exit(1)


def _keep(
    spool: Path,
    forms: Sequence[Any],
    speaker: Agency,
    data: Path,
    url: str | None,
    key: str | None,
    *,
    alerting: bool,
    as_json: bool,
) -> None:
    """Through the spool: what is in it is safe, so a lost network is no failure."""
    from contextlib import ExitStack

    from services.cli.import_targets import SpoolTarget
    from services.cli.printing import json_line
    from services.cli.refused import Refused
    from services.cli.spooling import tell_spooled

    if not all(isinstance(form, dict) for form in forms):
        raise Refused("something in the file is no JSON object: an event is one, so nothing was put into the spool")
    with ExitStack() as opened:
        target = SpoolTarget(spool, data, url, key, opened)
        target.publish(speaker.value, forms, alerting=alerting)
        spooled = target.finish()
    if as_json:
        json_line(spooled.as_json())
    else:
        tell_spooled(spooled, spool)
    if spooled.newly_refused:
        raise typer.Exit(1)


def _only_publisher(forms: Sequence[Any]) -> Agency:
    """The one agency that may publish every type in the file; raises `Refused` when it is not one."""
    from ccr_events.catalogue import event_types
    from services.cli.refused import Refused

    types = event_types()
    named = {form.get("type") for form in forms if isinstance(form, dict)}
    known = [types[name].publishers for name in named if isinstance(name, str) and name in types]
    may = frozenset.intersection(*known) if known else frozenset[Agency]()
    if len(may) != 1:
        words = (
            f"these agencies may publish that: {', '.join(sorted(may))}" if may else "no single agency may publish that"
        )
        raise Refused(f"whose events are these? Say it with --as; {words}")
    return next(iter(may))


def _tell(receipts: Sequence[Receipt], counts: Counter[str]) -> None:
    from services.cli.printing import say, warn

    refused = [r for r in receipts if r.status not in ("accepted", "duplicate")]
    for receipt in refused[:MAX_TOLD]:
        warn(f"{receipt.event_id or 'an event'}: {receipt.status}: {receipt.title}")
        for problem in receipt.problems:
            warn(f"    {problem.pointer or '/'} {problem.message}")
        if receipt.quarantine_id is not None:
            warn(f"    kept as {receipt.quarantine_id}; repair it and run  ccr quarantine redrive")
    if len(refused) > MAX_TOLD:
        warn(f"and {len(refused) - MAX_TOLD} more were refused; --json lists all")
    say(", ".join(f"{number} {status}" for status, number in sorted(counts.items())))


def _form(receipt: Receipt) -> dict[str, Any]:
    return {
        "event_id": receipt.event_id,
        "status": receipt.status,
        "case_id": receipt.case_id,
        "position": receipt.position,
        "quarantine_id": receipt.quarantine_id,
        "title": receipt.title,
        "errors": [{"pointer": p.pointer, "message": p.message} for p in receipt.problems],
    }
