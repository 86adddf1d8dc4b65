"""How `ccr policy` shows policies, links, changes and explanations in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text
from rich.tree import Tree

from ccr_events.policy.book import LoadedDocument
from ccr_events.policy.compare import Change, ladder_words
from ccr_events.policy.compiling import CompiledLink
from ccr_events.policy.document import Document
from ccr_events.policy.explain import Answer, Explanation, satisfied_words, waiver_words
from services.cli.printing import console, pairs, say, table

_HELD, _NOT_HELD = "✓", "✗"
_JOINED = {"all": "all of", "any": "any of", "not": "not"}


def show_document(loaded: LoadedDocument) -> None:
    """A policy: purpose, sign-off, guidance, links."""
    document = loaded.document
    say(f"{document.title} ({document.name}, in force from {document.effective}, {document.jurisdiction.name})")
    say(f"\nVictim safety: {document.purpose.victim_safety}")
    say(f"Offender accountability: {document.purpose.offender_accountability}\n")
    table(["signed by", "title", "on"], [(s.agency.value, s.title, str(s.on)) for s in document.signed_by], none="")
    for guidance in document.guidance:
        say(f"\n{guidance.point} ({guidance.practitioner})\n  {guidance.do}\n  Because: {guidance.because}")
    say("")
    rows = [(k.rule.key, k.rule.title, ", ".join(map(str, k.written.owed_by)), k.due_words) for k in loaded.links]
    table(["link", "title", "owed by", "due"], rows, none="No protocol links.")


def show_link(link: CompiledLink) -> None:
    """One protocol link, whole."""
    written = link.written
    say(f"{written.key}  {written.title}  ({link.document.name})")
    rows: list[tuple[str, str | Text]] = [
        ("trigger", " or ".join(written.trigger.type)),
        ("condition", link.when.words if link.when else "always"),
        ("owed by", ", ".join(map(str, written.owed_by))),
        ("action", link.rule.action),
        ("urgency", written.urgency),
        ("due", link.due_words),
        ("satisfied by", satisfied_words(link)),
        ("who hears", ladder_words(link)),
        ("may waive", waiver_words(link)),
    ]
    if written.trigger.count > 1:
        reset = f", set back by {link.reset_by.words}" if link.reset_by else ""
        rows.insert(2, ("count", f"at the {written.trigger.count}. time{reset}"))
    if written.if_unreachable:
        rows.append(("if unreachable", written.if_unreachable))
    rows += [(f"source [{basis.mark}]", basis.text) for basis in written.sources]
    pairs(rows)


def show_changes(old: Document, new: Document, changes: Sequence[Change]) -> None:
    """Changes between two versions, in words."""
    say(f"From {old.name} to {new.name}:")
    for change in changes:
        if change.kind == "changed":
            say(f"  {change.where}, {change.what}:")
            say(f"      was  {change.old or '-'}\n      now  {change.new or '-'}")
        else:
            say(f"  {change.where}: {change.kind}\n      {change.old or change.new}")
    if not changes:
        say("  nothing that matters")


def show_explanations(found: Sequence[Explanation], *, none: str) -> None:
    """What each rule makes of an event."""
    for one in found:
        say(f"\n{_verdict(one)} {one.rule}  {one.title}  ({one.policy})")
        if one.answer is not None:
            console().print(_tree(one.answer))
        elif one.condition:
            say(f"  when {one.condition}")
        if one.opens is not False:
            pairs(_demands(one))
    if not found:
        say(none)


def _verdict(one: Explanation) -> str:
    if one.opens is None:
        return "•"
    if not one.opens:
        return f"{_NOT_HELD} does not open"
    return f"{_HELD} opens" if one.count == 1 else f"{_HELD} counts (opens at the {one.count}. time)"


def _demands(one: Explanation) -> list[tuple[str, str | Text]]:
    rows: list[tuple[str, str | Text]] = [
        ("  owed by", ", ".join(f"{role} ({agency})" for agency, role in one.owing)),
        ("  action", one.action),
        ("  due", f"{_shown(one.due_at)}{one.due}"),
        ("  satisfied by", one.satisfied_by),
    ]
    rows += [(f"  {h.words}", f"{_shown(h.at)}{h.role} ({h.agency}) hears") for h in one.hears]
    if one.silence:
        rows.append(("  nobody hears", one.silence))
    return rows


def _shown(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC, "


def _tree(answer: Answer) -> Tree:
    words = _JOINED.get(answer.form, answer.words) if answer.parts else answer.words
    mark = Text(_HELD, "green") if answer.held else Text(_NOT_HELD, "red")
    tree = Tree(Text("  ").append_text(mark).append(f" {words}"))
    for part in answer.parts:
        tree.children.append(_tree(part))
    return tree
