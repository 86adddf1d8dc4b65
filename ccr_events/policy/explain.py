"""Why an event opens a link or does not: each condition with its answer, what is due when, and who hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ccr_events.core.model import Fact
from ccr_events.core.rules import Facts
from ccr_events.policy.book import CompiledEdition
from ccr_events.policy.compiled import Compiled
from ccr_events.policy.compiling import CompiledLink
from ccr_events.policy.written_link import Act, NoLadder, NoWaiver, groups


@dataclass(frozen=True, slots=True)
class Answer:
    """One condition, whether it held, and the conditions it is made of."""

    words: str
    held: bool
    form: str
    """`all`, `any`, `not` of its parts, or `one`."""
    parts: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears when nothing is done."""

    words: str
    """When, for example `24 hours after it is due`."""
    at: datetime | None
    agency: str
    role: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What one rule makes of an event, or would make of its type."""

    rule: str
    title: str
    policy: str
    opens: bool | None
    """None where only the type was asked about; for a counting rule, whether the event counts."""
    count: int
    condition: str
    """The condition in words; empty when every such event opens the link."""
    answer: Answer | None
    owing: tuple[tuple[str, str], ...]
    """(agency, role)."""
    action: str
    due: str
    due_at: datetime | None
    hears: tuple[Hearing, ...]
    silence: str
    """Why nobody hears, when nobody does."""
    satisfied_by: str
    waived_by: str


def explain_type(edition: CompiledEdition, name: str) -> tuple[Explanation, ...]:
    """What every rule that the type triggers asks and demands."""
    return tuple(_explained(edition.link(rule.key), None, None) for rule in edition.by_trigger.get(name, ()))


def explain_fact(edition: CompiledEdition, fact: Fact, facts: Facts) -> tuple[Explanation, ...]:
    """What every rule that the fact's type triggers makes of it; `facts` are the case's, the fact included."""
    return tuple(_explained(edition.link(rule.key), fact, facts) for rule in edition.by_trigger.get(fact.type, ()))


def answered(condition: Compiled, fact: Fact, facts: Facts) -> Answer:
    """The condition asked of a fact, part by part."""
    parts = tuple(answered(part, fact, facts) for part in condition.parts)
    return Answer(condition.words, condition.test(fact, facts), condition.form, parts)


def _explained(link: CompiledLink, fact: Fact | None, facts: Facts | None) -> Explanation:
    rule, written = link.rule, link.written
    answer = answered(link.when, fact, facts) if link.when and fact and facts else None
    opens = None if fact is None else answer is None or answer.held
    due_at = rule.due(fact) if fact else None
    return Explanation(
        rule=rule.key,
        title=rule.title,
        policy=link.document.name,
        opens=opens,
        count=rule.count,
        condition=link.when.words if link.when else "",
        answer=answer,
        owing=tuple((o.agency, o.role) for o in rule.owing),
        action=rule.action,
        due=link.due_words,
        due_at=due_at,
        hears=_hears(link, due_at),
        silence=written.escalate.none if isinstance(written.escalate, NoLadder) else "",
        satisfied_by=satisfied_words(link),
        waived_by=waiver_words(link),
    )


def _hears(link: CompiledLink, due_at: datetime | None) -> tuple[Hearing, ...]:
    ladder = link.written.escalate
    if isinstance(ladder, NoLadder):
        return ()
    return tuple(
        Hearing(
            after_words(rung.after.number, str(rung.after).lstrip("-")),
            due_at + rung.after.elapsed if due_at else None,
            rung.to.agency.value,
            rung.to.role,
        )
        for rung in ladder
    )


def after_words(number: int, span: str) -> str:
    """When a rung hears, in relation to the due time."""
    if not number:
        return "when it is due"
    return f"{span} {'after' if number > 0 else 'before'} it is due"


def satisfied_words(link: CompiledLink) -> str:
    """What ends the link, in words."""
    return " and also ".join(_any_words(group, link) for group in groups(link.written))


def waiver_words(link: CompiledLink) -> str:
    """Who may let it go, in words."""
    return "; ".join(f"nobody: {w.none}" if isinstance(w, NoWaiver) else str(w) for w in link.written.may_waive)


def _any_words(acts: Sequence[Act], link: CompiledLink) -> str:
    return " or ".join(act_words(act, link) for act in acts)


def act_words(act: Act, link: CompiledLink) -> str:
    """One act, with whose it must be and what must be the same."""
    condition = next((c for written, _, c in link.acts if written is act), None)
    words = act.type
    words += " by the owing agency" if act.by else ""
    words += f" where {condition.words}" if condition else ""
    words += f" (same {', '.join(kind.value for kind in act.same)})" if act.same else ""
    words += f", also up to {act.look_back} earlier" if act.look_back and act.look_back.number else ""
    return words
