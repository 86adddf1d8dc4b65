"""What changed between two versions of a policy, in words a signer can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from ccr_events.policy.book import LoadedDocument
from ccr_events.policy.compiling import CompiledLink
from ccr_events.policy.document import Document
from ccr_events.policy.explain import act_words, after_words, satisfied_words, waiver_words
from ccr_events.policy.written_link import NoLadder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two versions."""

    kind: Literal["added", "removed", "changed"]
    where: str
    """`policy`, `guidance: POINT`, `L17a`."""
    what: str
    """The aspect that differs, for example `deadline`; empty when all of it was added or removed."""
    old: str
    new: str


def compare(old: LoadedDocument, new: LoadedDocument) -> tuple[Change, ...]:
    """Every change of meaning from `old` to `new`, in the order of the document."""
    return (
        *_aspects("policy", _DOCUMENT, old.document, new.document),
        *_guidance(old.document, new.document),
        *_links(old, new),
    )


_DOCUMENT: Mapping[str, Callable[[Document], str]] = {
    "title": lambda d: d.title,
    "in force from": lambda d: d.effective.isoformat(),
    "jurisdiction": lambda d: f"{d.jurisdiction.name}, {d.jurisdiction.timezone}",
    "victim safety": lambda d: d.purpose.victim_safety,
    "offender accountability": lambda d: d.purpose.offender_accountability,
    "sign-off": lambda d: "; ".join(f"{s.agency.value}: {s.title}, {s.on.isoformat()}" for s in d.signed_by),
    "court day ends": lambda d: d.local.court_day_ends.isoformat("minutes"),
    "shifts": lambda d: ", ".join(s.isoformat("minutes") for s in d.local.shifts),
    "court closures": lambda d: ", ".join(c.isoformat() for c in d.local.court_closures),
    "reminders": lambda d: f"every {d.local.remind_every}",
}

_LINK: Mapping[str, Callable[[CompiledLink], str]] = {
    "title": lambda k: k.rule.title,
    "trigger": lambda k: " or ".join(k.written.trigger.type),
    "condition": lambda k: k.when.words if k.when else "always",
    "count": lambda k: f"{k.rule.count}, set back by: {k.reset_by.words if k.reset_by else 'nothing'}",
    "owed by": lambda k: ", ".join(map(str, k.written.owed_by)),
    "action": lambda k: k.written.action,
    "urgency": lambda k: k.written.urgency,
    "deadline": lambda k: k.due_words,
    "due at once on": lambda k: " or ".join(act_words(a, k) for a in k.written.due_at_once_on),
    "satisfied by": satisfied_words,
    "acknowledged by": lambda k: " or ".join(act_words(a, k) for a in k.written.acknowledged_by),
    "who hears": lambda k: ladder_words(k),
    "may be waived by": waiver_words,
    "victim contact": lambda k: "yes" if k.written.victim_contact else "no",
    "when unreachable": lambda k: k.written.if_unreachable or "",
    "sources": lambda k: "; ".join(f"[{s.mark}] {s.text}" for s in k.written.sources),
    "mark": lambda k: k.written.mark,
}


def ladder_words(link: CompiledLink) -> str:
    """The escalation ladder in one line."""
    ladder = link.written.escalate
    if isinstance(ladder, NoLadder):
        return f"nobody: {ladder.none}"
    return "; ".join(f"{after_words(r.after.number, str(r.after).lstrip('-'))}: {r.to}" for r in ladder)


def _aspects(where: str, aspects: Mapping[str, Callable[[T], str]], old: T, new: T) -> Iterator[Change]:
    for what, words in aspects.items():
        if (before := words(old)) != (after := words(new)):
            yield Change("changed", where, what, before, after)


def _guidance(old: Document, new: Document) -> Iterator[Change]:
    before, after = {g.point: g for g in old.guidance}, {g.point: g for g in new.guidance}
    for point in before | after:
        where = f"guidance: {point}"
        if point not in after:
            yield Change("removed", where, "", before[point].do, "")
        elif point not in before:
            yield Change("added", where, "", "", after[point].do)
        else:
            for what in ("practitioner", "do", "because"):
                was, now = getattr(before[point], what), getattr(after[point], what)
                if was != now:
                    yield Change("changed", where, what, was, now)


def _links(old: LoadedDocument, new: LoadedDocument) -> Iterator[Change]:
    before, after = {k.rule.key: k for k in old.links}, {k.rule.key: k for k in new.links}
    for key in sorted(before | after):
        if key not in after:
            yield Change("removed", key, "", _summary(before[key]), "")
        elif key not in before:
            yield Change("added", key, "", "", _summary(after[key]))
        else:
            yield from _aspects(key, _LINK, before[key], after[key])


def _summary(link: CompiledLink) -> str:
    owed = ", ".join(map(str, link.written.owed_by))
    return f"{link.rule.title}. Owed by {owed}, {link.due_words}"
