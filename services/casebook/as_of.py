"""Cases as they stood: what was recorded by a time, and what followed from it then. Knowledge time, not event time.

A link is a function of facts, so the facts recorded by then give the links as they were then, in any order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccr_events.core import corrections, moves
from ccr_events.core.fold import refold
from ccr_events.core.model import Fact
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.casebook.history import History
from services.casebook.recorder import merged_into
from services.casebook.replay_case import require_editions


@dataclass(frozen=True, slots=True)
class Standing:
    """A case as it stood."""

    view: CaseView
    timeline: Sequence[Fact]
    """What was known, by when it happened; facts that another case's merge carried here are among them."""
    counting: frozenset[str]
    """Ids of those that were not corrected or retracted."""
    later: int
    """Facts recorded afterwards, which are not shown."""
    into: str | None
    """The case it had been merged into."""


def known_facts(bodies: Iterable[bytes], at: datetime) -> dict[str, Fact]:
    """By id, the facts of events (log form) recorded by an instant."""
    facts = (read_fact(body) for body in bodies)
    return {fact.id: fact for fact in facts if fact.recorded_at <= at}


def view_as_of(case_id: str, facts: dict[str, Fact], policies: Policies) -> CaseView:
    """The view these facts make; raises `ReplayRefused` when the policies that judged them are not loaded."""
    for fact in facts.values():
        require_editions(policies, fact)
    return refold(case_id, facts, policies)


def case_as_of(stored: History, case_id: str, at: datetime, policies: Policies) -> Standing | None:
    """A case as it stood at an instant; None when nothing of it had been recorded."""
    bodies = stored.facts_of(case_id)
    facts = known_facts(bodies, at)
    if not facts:
        return None
    view = view_as_of(case_id, facts, policies)
    whole = moves.unfolded(facts)
    counting = frozenset(fact.id for _, fact in corrections.effective(whole))
    timeline = sorted(whole.values(), key=lambda fact: fact.order)
    return Standing(view, timeline, counting, len(bodies) - len(facts), merged_into(view))
