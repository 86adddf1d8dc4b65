"""Which facts count: corrections and retractions replace facts, whatever order they arrive in.

An event that corrects another belongs to the same *chain*; the chain's root is its first event. Of a chain
only the member recorded last counts, and none when that member is a retraction. A correction by another agency
than the root's is kept but never counts: nobody edits another agency's facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ccr_events.core.model import Fact

RETRACTED = "event.retracted"


def root_of(fact: Fact, facts: Mapping[str, Fact]) -> str:
    """Id of the first event of the fact's correction chain, as far as it is known."""
    seen = {fact.id}
    current = fact
    while (target := current.corrects) is not None:
        if target in seen:  # a cycle is a publisher's error; its smallest id stands for all
            return min(seen)
        known = facts.get(target)
        if known is None:
            return target
        seen.add(target)
        current = known
    return current.id


def effective(facts: Mapping[str, Fact]) -> Iterable[tuple[str, Fact]]:
    """(root id, fact) for every chain that still counts."""
    chains: dict[str, list[Fact]] = {}
    for fact in facts.values():
        chains.setdefault(root_of(fact, facts), []).append(fact)
    for root, members in chains.items():
        latest = _latest(root, members, facts)
        if latest.type != RETRACTED:
            yield root, latest


def withdrawal_of(root: str, facts: Mapping[str, Fact]) -> Fact | None:
    """The retraction by which the chain of that root, which is among the facts, counts no more; None while it does."""
    latest = _latest(root, [fact for fact in facts.values() if root_of(fact, facts) == root], facts)
    return latest if latest.type == RETRACTED else None


def _latest(root: str, members: Iterable[Fact], facts: Mapping[str, Fact]) -> Fact:
    owner = facts.get(root)
    own = (m for m in members if owner is None or m.agency == owner.agency)
    return max(own, key=lambda m: (m.id != root, m.recorded_at, m.id))
