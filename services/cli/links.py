"""`ccr links|link` show protocol links; `ccr ack|complete|waive` answer them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import CompletionOutcome, WaiverReason
from ccr_events.codes.response import ReceiptStatus
from services.cli.options import ANSWER, DEFAULT_DATA, As, AsJson, Data, Key, Limit, Url

if TYPE_CHECKING:
    from services.cli.client import Answer

LONGEST_NOTE = 500
"""Characters of a note, as the event types allow."""

LinkId = Annotated[str, typer.Argument(metavar="LINK", help="Id of the link; its first characters are enough.")]
Speaker = Annotated[
    Agency | None,
    typer.Option("--as", help="Whose local key to use; by default the agency that owes the link."),
]
Role = Annotated[
    str | None, typer.Option(help="Role in which you answer; by default the role that owes the link.", metavar="ROLE")
]
Note = Annotated[
    Path | None,
    typer.Option(
        "--note", metavar="FILE", help="Confidential note, from a file or - for standard input; it is sealed at once."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: ccr links --agency adv", rich_help_panel=ANSWER)(links)
    app.command(epilog="Example: ccr link 3f2a91c0", rich_help_panel=ANSWER)(link)
    app.command(epilog="Example: ccr ack 3f2a91c0 --status on_call_assigned", rich_help_panel=ANSWER)(ack)
    app.command(epilog="Example: ccr complete 3f2a91c0 --role 'duty sergeant'", rich_help_panel=ANSWER)(complete)
    app.command(epilog="Example: ccr waive 3f2a91c0 --reason not_applicable --role sergeant", rich_help_panel=ANSWER)(
        waive
    )


def links(
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    agency: Annotated[Agency | None, typer.Option(help="Only links this agency owes.")] = None,
    case: Annotated[
        str | None, typer.Option(metavar="CASE", help="Only links of this case: a number, or its id.")
    ] = None,
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List protocol links, earliest due first: who owes what to whom, and by when."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.link_rows import COLUMNS, link_row
    from services.cli.printing import json_line, table

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        whole = None if case is None else ids.case_id(client, case)
        wanted = None if agency is None else agency.value
        found = client.links(agency=wanted, case_id=whole, open_only=not ended, limit=limit)
    if as_json:
        json_line({"links": found})
    else:
        now = datetime.now(UTC)
        table(
            COLUMNS,
            [link_row(one, now) for one in found],
            none="No links are open." if not ended else "No links.",
        )


def link(
    link_id: LinkId,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: As = None,
    as_json: AsJson = False,
) -> None:
    """Show one protocol link with its escalation ladder."""
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.link_rows import link_details
    from services.cli.printing import json_line, pairs

    with connect(data, url, key, speaker(speaks_for, key)) as client:
        found = client.link(ids.link_id(client, link_id))
    if as_json:
        json_line(found)
    else:
        pairs(link_details(found, datetime.now(UTC)))


def ack(
    link_id: LinkId,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: Speaker = None,
    role: Role = None,
    status: Annotated[
        ReceiptStatus | None,
        typer.Option(help="For a referral to advocacy. Never says what a victim did."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say that you have received what a link asks (received, not yet done)."""
    body = {} if status is None else {"status": status.value}
    _answer(_Asked(link_id, data, url, key, speaks_for, role, as_json), "acknowledge", body)


def complete(
    link_id: LinkId,
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: Speaker = None,
    role: Role = None,
    outcome: Annotated[CompletionOutcome, typer.Option(help="How it went.")] = CompletionOutcome.DONE,
    note: Note = None,
    as_json: AsJson = False,
) -> None:
    """Say that you did what a link asks, where no other event tells."""
    asked = _Asked(link_id, data, url, key, speaks_for, role, as_json)
    _answer(asked, "complete", {"outcome": outcome.value, **_note(note)})


def waive(
    link_id: LinkId,
    reason: Annotated[WaiverReason, typer.Option(help="Why it is let go.")],
    data: Data = DEFAULT_DATA,
    url: Url = None,
    key: Key = None,
    speaks_for: Speaker = None,
    role: Role = None,
    policy_ref: Annotated[
        str | None, typer.Option(metavar="POLICY", help="The written policy that allows it, such as jail/1.1.0.")
    ] = None,
    note: Note = None,
    as_json: AsJson = False,
) -> None:
    """Let a link go, with a reason. Only roles that its policy names may do so."""
    body = {"reason": reason.value, **_note(note)} | ({} if policy_ref is None else {"policy_ref": policy_ref})
    _answer(_Asked(link_id, data, url, key, speaks_for, role, as_json), "waive", body)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all answers to a link have in common on the command line."""

    link_id: str
    data: Path
    url: str | None
    key: str | None = field(repr=False)
    speaks_for: Agency | None
    role: str | None
    as_json: bool


def _answer(asked: _Asked, answer: Answer, body: Mapping[str, Any]) -> None:
    from services.cli import ids
    from services.cli.connection import connect, speaker
    from services.cli.printing import json_line, say
    from services.cli.spoken import who

    with connect(asked.data, asked.url, asked.key, speaker(asked.speaks_for, asked.key)) as client:
        found = client.link(ids.link_id(client, asked.link_id))
    answering = str(asked.speaks_for or found["agency"])
    said_as = asked.role or found["role"]
    with connect(asked.data, asked.url, asked.key, answering) as client:
        receipt = client.answer(found["id"], answer, {"role": said_as, **body})
    if asked.as_json:
        json_line({"link_id": found["id"], "answer": answer, "role": said_as, **receipt})
    else:
        say(f"{answer}d as {who(answering, said_as)}: {found.get('rule_title') or found['rule']}")


def _note(file: Path | None) -> dict[str, str]:
    from services.cli.refused import Refused

    if file is None:
        return {}
    text = sys.stdin.read(LONGEST_NOTE + 1) if str(file) == "-" else file.read_text(encoding="utf-8")
    if not 1 <= len(text.strip()) <= LONGEST_NOTE:
        raise Refused(f"a note has 1 to {LONGEST_NOTE} characters")
    return {"note": text.strip()}
