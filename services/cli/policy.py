"""`ccr policy`: check written policies, read and compare them, ask what they oblige, draw them, try a draft."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from ccr_events.catalogue import event_types
from ccr_events.policy import LoadedDocument, PolicyBook, PolicyErrors, UnknownPolicy, load_policies, read_document
from ccr_events.policy.book import CompiledEdition
from ccr_events.policy.compare import compare
from ccr_events.policy.explain import Explanation, explain_fact, explain_type
from ccr_events.policy.graph import edges, mermaid
from services.cli.event_file import read_facts
from services.cli.options import LEARN, AsJson
from services.cli.policy_what_if import what_if
from services.cli.policy_words import show_changes, show_document, show_explanations, show_link
from services.cli.printing import json_line, say, table, warn
from services.cli.refused import Refused

MARKS = {
    "K": "[K] not verified here: check with your counsel",
    "P": "[P] a proposal: your local policy decides",
}
"""What a policy writer must still do about a mark."""

Directory = Annotated[
    Path | None,
    typer.Option("--policies", metavar="DIR", help="A county's own policies instead of those that come with ccr."),
]
At = Annotated[
    datetime | None,
    typer.Option("--at", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="In force at this time (UTC); default now."),
]

policy = typer.Typer(no_args_is_help=True)
policy.command("what-if", epilog="Example: ccr policy what-if drafts/jail-1.2.0.yaml")(what_if)


def register(app: typer.Typer) -> None:
    """Add `ccr policy`."""
    app.add_typer(
        policy, name="policy", rich_help_panel=LEARN, help="Read, check, compare and explain written policies."
    )


@policy.command()
def check(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Directory of policy documents, or one of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check policy documents; every error with its file, line and a suggestion."""
    try:
        book = _book(directory)
    except PolicyErrors as errors:
        for problem in errors.problems:
            warn(str(problem))
        if as_json:
            json_line({"ok": False, "problems": [asdict(problem) for problem in errors.problems]})
        raise Refused(f"{len(errors.problems)} problem(s): these policies cannot be put in force") from None
    newest = book.editions[-1]
    notices = [
        {"link": key, "mark": basis.mark, "source": basis.text}
        for key, link in sorted(newest.links.items())
        for basis in link.written.sources
        if basis.mark in MARKS
    ]
    if not as_json:
        table(
            ["link", "mark", "source"],
            [(n["link"], n["mark"], n["source"]) for n in notices],
            none="Every source was found in public text.",
        )
        for mark, meaning in MARKS.items():
            say(f"{sum(n['mark'] == mark for n in notices)} × {meaning}")
    links = len(newest.links)
    say(f"{len(book.documents)} documents, {links} links in edition {newest.id}: no errors")
    if as_json:
        json_line(
            {
                "ok": True,
                "problems": [],
                "documents": [d.name for d in book.documents],
                "editions": [e.id for e in book.editions],
                "links": links,
                "notices": notices,
            }
        )


@policy.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|LINK", help="A policy, such as jail, or a link, such as L17a.")],
    version: Annotated[
        str | None, typer.Option("--version", help="A version of the policy; default its newest.")
    ] = None,
    at: At = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Show a policy or one protocol link, in words."""
    book = _book(directory)
    edition = _edition(book, at)
    if name in edition.links:
        link = edition.link(name)
        if as_json:
            json_line(
                {**link.written.model_dump(mode="json", by_alias=True, exclude_none=True), "policy": link.document.name}
            )
        else:
            show_link(link)
        return
    keys = sorted(key for key in edition.links if key[:-1] == name)
    if keys:
        raise Refused(f"{name} is written as {', '.join(keys)}: show one of them")
    try:
        document = book.document(name, version)
    except UnknownPolicy as error:
        raise Refused(f"{error}. A link is named like L17a; this edition has {len(edition.links)}") from None
    if as_json:
        json_line(document.model_dump(mode="json", by_alias=True, exclude_none=True))
    else:
        show_document(next(one for one in book.loaded if one.document is document))


@policy.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file, or a version such as jail@1.0.0.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A file, or a version such as jail@1.1.0 (or 1.1.0).")],
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """What changed between two versions of a policy: guidance, links, deadlines, who hears."""
    before = _version(old, directory, None)
    after = _version(new, directory, before.document.policy)
    changes = compare(before, after)
    if as_json:
        json_line(
            {
                "old": before.document.name,
                "new": after.document.name,
                "changes": [asdict(change) for change in changes],
            }
        )
    else:
        show_changes(before.document, after.document, changes)


@policy.command()
def explain(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="A JSON file with one event, or an event type.")],
    given: Annotated[
        list[Path] | None,
        typer.Option("--given", metavar="FILE", help="JSON file with earlier events of the same case; repeatable."),
    ] = None,
    at: At = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Which links an event opens and why, condition by condition; what is due when, and who hears."""
    book = _book(directory)
    path = Path(event)
    if event in event_types():
        edition = _edition(book, at)
        found = explain_type(edition, event)
    elif path.is_file():
        fact, facts = read_facts(path, given or [])
        edition = _edition(book, at) if at else book.edition_at(fact.occurred_at)
        found = explain_fact(edition, fact, facts)
    else:
        raise Refused(f"{event} is neither a file nor an event type; see  ccr schema list")
    if as_json:
        json_line({"edition": edition.id, "rules": [_explained(one) for one in found]})
    else:
        say(f"Policy edition {edition.id}")
        show_explanations(found, none=f"No link is triggered by {event}.")


@policy.command()
def graph(
    at: At = None,
    escalation: Annotated[bool, typer.Option("--escalation", help="Also who hears of silence, dotted.")] = False,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Draw agencies and the links between them as a Mermaid flowchart."""
    edition = _edition(_book(directory), at)
    if as_json:
        drawn = [e for e in edges(edition, event_types()) if escalation or not e.escalation]
        json_line({"edition": edition.id, "edges": [asdict(edge) for edge in drawn]})
    else:
        typer.echo(mermaid(edition, event_types(), escalation=escalation), nl=False)


def _book(directory: Path | None) -> PolicyBook:
    try:
        if directory is not None and directory.is_file():
            return PolicyBook([read_document(directory.read_bytes(), str(directory))], str(directory))
        return load_policies(directory)
    except FileNotFoundError as error:
        raise Refused(str(error)) from None


def _edition(book: PolicyBook, at: datetime | None) -> CompiledEdition:
    moment = datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
    return book.edition_at(moment)


def _version(named: str, directory: Path | None, policy_name: str | None) -> LoadedDocument:
    """A document by file, by `policy@version`, or by version alone of the policy named before it."""
    path = Path(named)
    if path.is_file():
        return read_document(path.read_bytes(), named)
    name, _, version = named.partition("@")
    if policy_name is not None and not version:
        name, version = policy_name, name
    book = _book(directory)
    document = book.document(name, version or None)
    return next(one for one in book.loaded if one.document is document)


def _explained(one: Explanation) -> dict[str, Any]:
    return {**asdict(one), "owing": [{"agency": agency, "role": role} for agency, role in one.owing]}
