"""`fold` and `decide`: one event into the view of its case, and what follows from it.

Folding is a union of sets, so duplicates change nothing and order does not matter. Only links that the event can change
are derived anew (`ccr_events.core.touched`).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ccr_events.core import moves, persistent
from ccr_events.core.corrections import RETRACTED
from ccr_events.core.handover import Pictures, handed_on, received
from ccr_events.core.index import FactIndex, build
from ccr_events.core.lifecycle import transitions
from ccr_events.core.model import Fact, Link, Outbound, Transition
from ccr_events.core.persistent import with_many, with_one
from ccr_events.core.rules import Policies, Rule
from ccr_events.core.touched import derived, rearranged, touched
from ccr_events.core.view import CaseView
from ccr_events.core.waiting import changed, waiting_of

MAX_FACTS_OF_A_CASE = 10_000
"""Facts one case may have. A case with so many is an agency's error (a number used for everybody's case), and the
proof that its view can be derived anew must stay possible."""
_MOVING = frozenset({moves.MERGED, moves.SPLIT, moves.ABSORBED, moves.ABSORPTION_ENDED})
"""Event types by which facts move between cases."""


class CaseFull(ValueError):
    """The case has `MAX_FACTS_OF_A_CASE` facts and takes no more reports."""


class Step(Struct, frozen=True):
    """What one event did to its case."""

    view: CaseView
    transitions: tuple[Transition, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    """Events the casebook must append to other cases."""
    changed: tuple[Link, ...] = ()
    """Links that are new or differ now."""
    removed: tuple[str, ...] = ()
    """Ids of links a correction took away."""


def takes(view: CaseView, event_type: str) -> bool:
    """Whether the case has room for one more event of the type; taking facts out of it must always be possible."""
    return (
        len(view.facts) < MAX_FACTS_OF_A_CASE
        or event_type in (moves.SPLIT, moves.ABSORPTION_ENDED)
        or event_type.startswith("link.")
    )


def fold(view: CaseView, fact: Fact, policies: Policies) -> CaseView:
    """The view with the fact in it; the same view when it already was."""
    return step(view, fact, policies).view


def step(view: CaseView, fact: Fact, policies: Policies) -> Step:
    """Fold one event and decide what follows. `policies` must know every edition stamped on the case's facts.

    Raises `CaseFull`. What is said of one link (`link.*`) is always taken: links bound it, and nobody may be silenced;
    so is a split or the undoing of a merge, which is how such a case is put right.
    """
    if fact.id in view.facts:
        return Step(view)
    if not takes(view, fact.type):
        raise CaseFull(
            f"case {view.case_id} holds {len(view.facts):,} events, and {MAX_FACTS_OF_A_CASE:,} is the most one case "
            "may have: see which number joins so many reports, and split the case by it"
        )
    facts = with_one(view.facts, fact.id, fact)
    outbound: tuple[Outbound, ...] = ()
    corrected, waiting = view.corrected, view.waiting
    if waiting is None and len(view.links) >= persistent.LARGE:
        waiting = waiting_of(view.links.values(), policies)
    if corrected is not None and fact.id not in corrected and only_adds(fact):
        index = view.index.grown(fact)
        found = touched(view.links, waiting, facts, fact, index, policies)
    else:
        index, corrected = arranged(facts)
        found = rearranged(view.links, view.index, index, policies)
        if corrected is None:
            outbound = tuple(moves.outbound(moves.unfolded(view.facts), moves.unfolded(facts), fact))
    before = view.links
    changes = {i: found[i] for i in sorted(found) if found[i] != before.get(i)} if found else found
    if not changes and corrected is not None:
        return Step(CaseView(view.case_id, facts, before, index, corrected, waiting))
    new = {i: link for i, link in changes.items() if link is not None}
    gone = tuple(i for i in changes if i not in new) if len(new) < len(changes) else ()
    if waiting is not None:
        waiting = changed(waiting, [(before.get(i), link) for i, link in changes.items()], policies)
    after = CaseView(view.case_id, facts, with_many(before, new, gone), index, corrected, waiting)
    if corrected is None:
        outbound, told = _moved(view, after, fact, outbound, {i: (before.get(i), link) for i, link in changes.items()})
    else:
        told = [t for i, link in new.items() for t in transitions(before.get(i), link, fact)]
        told += [t for i in gone for t in transitions(before[i], None, fact)]
    return Step(after, tuple(told), outbound, tuple(new.values()), gone)


def _moved(
    before: CaseView, after: CaseView, fact: Fact, outbound: tuple[Outbound, ...], pictures: Pictures
) -> tuple[tuple[Outbound, ...], list[Transition]]:
    """What is sent and told where facts move between cases."""
    pictures = received(before, after, fact, outbound, pictures)
    outbound, pictures = handed_on(before, fact, outbound, pictures)
    return outbound, [t for i in sorted(pictures) for t in transitions(*pictures[i], fact)]


def refold(case_id: str, facts: Mapping[str, Fact], policies: Policies) -> CaseView:
    """The view of a set of facts, every link derived anew: what folding one by one must always agree with."""
    index, corrected = arranged(facts)
    return CaseView(case_id, facts, derive_all(index, policies), index, corrected)


def arranged(facts: Mapping[str, Fact]) -> tuple[FactIndex, frozenset[str] | None]:
    """What a view derives from its facts besides links: the index of effective ones, and `CaseView.corrected`."""
    if not any(fact.type in _MOVING for fact in facts.values()):
        return build(facts), frozenset(fact.corrects for fact in facts.values() if fact.corrects is not None)
    whole = moves.unfolded(facts)
    return build(moves.staying(whole, moves.moves_of(whole))), None


def only_adds(fact: Fact) -> bool:
    """True when the fact takes nothing back: it corrects, retracts and moves no other."""
    return fact.corrects is None and fact.type not in _MOVING and fact.type != RETRACTED


def derive_all(index: FactIndex, policies: Policies) -> Mapping[str, Link]:
    """Every link of a case, from its effective facts alone."""
    seen: dict[tuple[str, str], Rule] = {}
    for name, facts in index.by_type.items():
        for edition in {f.edition for f in facts}:
            for rule in policies.edition(edition).by_trigger.get(name, ()):
                seen[rule.edition, rule.key] = rule
    return {link.id: link for rule in seen.values() for link in derived(rule, index, policies)}
