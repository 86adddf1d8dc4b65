"""`ccr proposals`: two cases that may be one; only a person decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data, Key, Limit, Url

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

ProposalId = Annotated[str, typer.Argument(metavar="ID", help="Id of the proposal; its first characters are enough.")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Cases that may be one: shared numbers or people. Only the tracking entity (ccr) decides.",
        no_args_is_help=True,
    )
    group.command("list", epilog="Example: ccr proposals list")(list_waiting)
    group.command("accept", epilog="Example: ccr proposals accept 91c0d7e2")(accept)
    group.command("reject", epilog="Example: ccr proposals reject 91c0d7e2")(reject)
    app.add_typer(group, name="proposals", rich_help_panel=KEEP)


def list_waiting(
    data: Data = DEFAULT_DATA, url: Url = None, key: Key = None, limit: Limit = 50, as_json: AsJson = False
) -> None:
    """List merges that wait for a decision, oldest first."""
    from services.cli.connection import connect
    from services.cli.printing import json_line, table
    from services.cli.spoken import SHORT_ID, instant, local_time

    with connect(data, url, key) as client:
        waiting = client.proposals(limit)
    if as_json:
        json_line({"proposals": waiting})
        return
    rows = []
    for one in waiting:
        at = instant(one["proposed_at"])
        shown = "" if at is None else local_time(at)
        rows.append(
            (one["id"][:SHORT_ID], shown, one["cause"], str(one["score"]), one["case_id"], one["other_case_id"])
        )
    table(("id", "proposed", "because", "score", "case", "other case"), rows, none="No merge waits for a decision.")


def accept(
    proposal_id: ProposalId, data: Data = DEFAULT_DATA, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """The two cases are one: publish the merge. A later split can undo it."""
    _decide(proposal_id, "accept", data, url, key, as_json)


def reject(
    proposal_id: ProposalId, data: Data = DEFAULT_DATA, url: Url = None, key: Key = None, as_json: AsJson = False
) -> None:
    """The two cases are different: leave them apart, and do not propose this pair again."""
    _decide(proposal_id, "reject", data, url, key, as_json)


def _decide(
    typed: str, decision: Literal["accept", "reject"], data: Path, url: str | None, key: str | None, as_json: bool
) -> None:
    from services.cli import ids
    from services.cli.connection import connect
    from services.cli.printing import json_line, say

    with connect(data, url, key) as client:
        whole = ids.proposal_id(client, typed)
        client.decide(whole, decision)
    if as_json:
        json_line({"id": whole, "state": f"{decision}ed"})
    else:
        say(f"{decision}ed {whole}")
