"""`fold` and `decide`: one event into the view of its case, and what follows from it.

Folding is a union of sets, so duplicates change nothing and order does not matter. Links are derived anew only
where the event can matter: rules say which event types they mention. A correction or retraction, what it names when
that comes later, and every event of a case whose facts move derive everything anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ccr_events.core import moves
from ccr_events.core.corrections import RETRACTED
from ccr_events.core.derive import links_of
from ccr_events.core.index import FactIndex, build, link_of
from ccr_events.core.lifecycle import transitions
from ccr_events.core.model import Fact, Link, Outbound, Transition
from ccr_events.core.rules import Policies, Rule
from ccr_events.core.view import CaseView

_MOVING = frozenset({moves.MERGED, moves.SPLIT, moves.ABSORBED, moves.ABSORPTION_ENDED})
"""Event types by which facts move between cases."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did to its case."""

    view: CaseView
    transitions: tuple[Transition, ...] = ()
    outbound: tuple[Outbound, ...] = ()
    """Events the casebook must append to other cases."""
    changed: tuple[Link, ...] = ()
    """Links that are new or differ now."""
    removed: tuple[str, ...] = ()
    """Ids of links a correction took away."""


def fold(view: CaseView, fact: Fact, policies: Policies) -> CaseView:
    """The view with the fact in it; the same view when it already was."""
    return step(view, fact, policies).view


def step(view: CaseView, fact: Fact, policies: Policies) -> Step:
    """Fold one event and decide what follows. `policies` must know every edition stamped on the case's facts."""
    if fact.id in view.facts:
        return Step(view)
    facts = {**view.facts, fact.id: fact}
    if view.corrected is not None and fact.id not in view.corrected and only_adds(fact):
        index = view.index.grown(fact)
        links = _touched(view, facts, fact, index, policies)
        return _decide(view.links, CaseView(view.case_id, facts, links, index, view.corrected), fact, ())
    after = refold(view.case_id, facts, policies)
    whole = moves.unfolded(facts)
    return _decide(view.links, after, fact, tuple(moves.outbound(moves.unfolded(view.facts), whole, fact)))


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


def _touched(
    view: CaseView, facts: Mapping[str, Fact], fact: Fact, index: FactIndex, policies: Policies
) -> Mapping[str, Link]:
    """The links, those anew that the fact can have changed."""
    links, corrected = view.links, view.corrected or frozenset()
    target = link_of(fact)
    if target is None:
        return _mentioned(links, policies.mentioning.get(fact.type, ()), index, policies)
    known = links.get(target)
    if known is None:
        return links
    rule = policies.edition(known.edition).rule(known.rule)
    trigger = facts.get(known.trigger_id)
    if rule.count > 1 or trigger is None or trigger.id in corrected:
        return _mentioned(links, (rule,), index, policies)
    # What is said of one link changes no other.
    anew = next((link for link in links_of(rule, (trigger,), index, policies) if link.id == target), None)
    return {**links, target: anew} if anew is not None else {i: link for i, link in links.items() if i != target}


def _mentioned(
    links: Mapping[str, Link], rules: Iterable[Rule], index: FactIndex, policies: Policies
) -> Mapping[str, Link]:
    """The links, those of these rules anew."""
    new: dict[str, Link] | None = None
    for rule in rules:
        if not any(index.of_type(name) for name in rule.trigger_types):
            continue
        current = {link.id: link for link in _derive(rule, index, policies)}
        if new is None:
            new = dict(links)
        gone = [i for i, old in new.items() if i not in current and _same_rule(old, rule)]
        for link_id in gone:
            del new[link_id]
        new.update(current)
    return links if new is None else new


def _same_rule(link: Link, rule: Rule) -> bool:
    return link.rule == rule.key and link.edition == rule.edition


def _derive(rule: Rule, index: FactIndex, policies: Policies) -> Iterable[Link]:
    triggers = [f for name in rule.trigger_types for f in index.of_type(name) if f.edition == rule.edition]
    if not triggers:
        return ()
    return (link for link in links_of(rule, triggers, index, policies) if _same_rule(link, rule))


def derive_all(index: FactIndex, policies: Policies) -> Mapping[str, Link]:
    """Every link of a case, from its effective facts alone."""
    seen: dict[tuple[str, str], Rule] = {}
    for name, facts in index.by_type.items():
        for edition in {f.edition for f in facts}:
            for rule in policies.edition(edition).by_trigger.get(name, ()):
                seen[rule.edition, rule.key] = rule
    return {link.id: link for rule in seen.values() for link in _derive(rule, index, policies)}


def _decide(before: Mapping[str, Link], after: CaseView, fact: Fact, outbound: tuple[Outbound, ...]) -> Step:
    if before is after.links:
        return Step(after, outbound=outbound)
    changed = tuple(
        link for i, link in sorted(after.links.items()) if (old := before.get(i)) is not link and old != link
    )
    removed = tuple(sorted(i for i in before if i not in after.links))
    told = [t for link in changed for t in transitions(before.get(link.id), link, fact)]
    told += [t for i in removed for t in transitions(before[i], None, fact)]
    return Step(after, tuple(told), outbound, changed, removed)
