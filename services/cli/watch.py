"""`ccr watch`: alerts as they happen, in a terminal or, with --json, for another program."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Annotated

import typer

from ccr_events.agencies import Agency
from services.cli.options import ANSWER, DEFAULT_DATA, AsJson, Data, Key, Url


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel=ANSWER,
        epilog="Example: ccr watch --agency adv --urgency immediate --kind opened --kind escalated",
    )(watch)


def watch(
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: Annotated[
        Agency | None,
        typer.Option("--as", help="Whose local key to use; by default the one --agency, else ccr, which sees all."),
    ] = None,
    agency: Annotated[
        list[Agency] | None, typer.Option(help="Alerts to this agency, or about acts it owes. May be repeated.")
    ] = None,
    role: Annotated[list[str] | None, typer.Option(help="Alerts to, or owed by, this role. May be repeated.")] = None,
    urgency: Annotated[list[str] | None, typer.Option(help="For example immediate. May be repeated.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="Key of a policy's rule, such as L17. May be repeated.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="opened, overdue, escalated, acknowledged, satisfied … May be repeated.")
    ] = None,
    filter_text: Annotated[
        str | None,
        typer.Option("--filter", metavar="JSON", help='CloudEvents filter: {"prefix": {"torole": "on-call"}}'),
    ] = None,
    after: Annotated[
        str, typer.Option(metavar="PLACE", help="now: only what is new. 0: from the beginning. N: after alert N.")
    ] = "now",
    count: Annotated[int | None, typer.Option(min=1, metavar="N", help="Stop after this many alerts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show alerts live: who must act, on what, due when, and who hears if they do not.

    Goes on until Ctrl-C; a lost connection is made anew and no alert is skipped. No confidential field is ever shown:
    open the case in your own system by the number in the alert. With --json each alert is one line: a CloudEvent, with
    its place in the stream as seq.
    """
    from services.cli.connection import connect, speaker
    from services.cli.following import Wanted, follow
    from services.cli.interrupted import ends_at_ctrl_c
    from services.cli.printing import console, json_line, warn
    from services.cli.refused import Refused
    from services.cli.spoken import alert_text

    if after != "now" and not (after.isascii() and after.isdigit()):
        raise Refused("--after is now, 0 or the number of an alert")
    agencies = agency or []
    whom = speaker(speaks_for, key, agencies[0] if len(agencies) == 1 else Agency.CCR)
    fields = {
        "agency": [a.value for a in agencies],
        "role": role or [],
        "urgency": urgency or [],
        "rule": rule or [],
        "kind": kind or [],
    }
    whose = f"as {whom}" if key is None else "with the key of --key or CCR_KEY: only what its agency may hear"
    screen = console()
    standing = False

    def told(lost: str | None) -> None:
        nonlocal standing
        if lost is not None:
            warn(f"ccr: {lost}; trying again, no alert will be skipped")
        elif not as_json:
            warn("connected again" if standing else f"listening {whose}")
        standing = True

    live = screen.status("listening") if screen.is_terminal and not as_json else nullcontext()
    with ends_at_ctrl_c(), connect(data, url, key, whom) as client, live:
        for number, heard in enumerate(follow(client, Wanted(fields, filter_text), after=after, told=told), start=1):
            if as_json:
                json_line({"seq": heard.seq, **heard.event})
            else:
                screen.print(alert_text(heard.event, datetime.now(UTC)), soft_wrap=True)
            if number == count:
                return
