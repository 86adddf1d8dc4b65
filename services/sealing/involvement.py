"""Whether an agency has a part in a case, so that the matrix of `visibility.yaml` may give it anything at all.

Knowing a case's id, or an event's, is not having a part in it: whoever is told one could publish something into that
case. So a part comes only from what others know of the case too:

- the agency opened the case, or one that a person merged into it;
- an event of its shares a number, or a suspect and victim pair, with an event of another agency;
- it owes a link, or has heard of one, that does not come from such an intruding event of its own.

What an agency reported itself it may open in any case, with or without a part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ccr_events.core.model import Fact
from ccr_events.core.moves import unfolded
from ccr_events.core.view import CaseView
from ccr_events.payload import PartyRole

_SUSPECT, _VICTIM = PartyRole.SUSPECT.value, PartyRole.VICTIM.value


def is_involved(view: CaseView, agency: str) -> bool:
    """Whether the agency has a part in the case that `view` is of."""
    facts = unfolded(view.facts)
    if _own_part(facts, agency):
        return True
    for link in view.links.values():
        concerned = link.agency == agency or any(step.reached and step.agency == agency for step in link.steps)
        # The root of its chain, or, where that never came, the correction that stands for it.
        trigger = facts.get(link.trigger_id) or view.index.replaced.get(link.trigger_id)
        if concerned and trigger is not None and trigger.agency != agency:
            return True
    return False


def _own_part(facts: Mapping[str, Fact], agency: str) -> bool:
    """Whether an event of the agency belongs to the case by what it says, and not by naming an id."""
    own = [fact for fact in facts.values() if fact.agency == agency]
    if not own:
        return False
    opened: dict[str, Fact] = {}
    for fact in facts.values():
        first = opened.setdefault(fact.case_id, fact)
        if fact.recorded_at < first.recorded_at:
            opened[fact.case_id] = fact
    if any(first.agency == agency for first in opened.values()):
        return True
    known = {mark for fact in facts.values() if fact.agency != agency for mark in _marks(fact.data)}
    return any(mark in known for fact in own for mark in _marks(fact.data))


def _marks(data: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """What an event says of which case it is of: its numbers, and its pairs of people by their tokens."""
    for reference in data.get("references", ()):
        yield reference["kind"], reference["number"], reference.get("issuer", "")
    tokens = [(party["role"], party["token"]) for party in data.get("parties", ()) if party.get("token") is not None]
    victims = [token for role, token in tokens if role == _VICTIM]
    for role, suspect in tokens:
        if role == _SUSPECT:
            yield from ((suspect, victim) for victim in victims)
