"""Which links of a case one more fact changes, and what they are then: only those it can change are looked at.

Nearly every fact only adds: it corrects, retracts and moves nothing, and nothing known corrects it (`touched`). After
any other, what counts is compared with what counted (`rearranged`). Deriving every link anew
(`ccr_events.core.fold.derive_all`) must always agree; the laws of the core are tested on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ccr_events.core import ids
from ccr_events.core.derive import is_act, links_of, may_open, opening, renewed
from ccr_events.core.index import FactIndex, link_of
from ccr_events.core.model import Fact, Link
from ccr_events.core.rules import Acts, Part, Policies, Rule, Satisfier
from ccr_events.core.waiting import RuleKey, Waiting

Changes = dict[str, Link | None]
"""Link id → the link now; None when it is no more. Those that are as they were may be among them."""


def touched(
    links: Mapping[str, Link],
    waiting: Mapping[RuleKey, Waiting] | None,
    facts: Mapping[str, Fact],
    fact: Fact,
    index: FactIndex,
    policies: Policies,
) -> Changes:
    """What the fact changes. `links` and `waiting` (None: look at all) are as they were before it, `facts` and `index`
    have it."""
    target = link_of(fact)
    if target is not None:  # What is said of one link changes no other.
        link = links.get(target)
        if link is None:
            return {}
        rule = policies.edition(link.edition).plan.acts[link.rule].rule
        trigger = _trigger(link, facts, index)
        return {target: renewed(link, rule, trigger, index, link.due_at, link.acknowledged_at)}
    changes: Changes = {}
    name, types = fact.type, index.by_type.keys()
    plans = [(edition, policies.edition(edition).plan) for edition in sorted(index.editions)]
    for edition, plan in plans:
        acting = plan.acting.get(name)
        if acting is not None:
            for acts, found in _waiting_for(acting, edition, links, waiting, fact):
                _acted(acts, found, facts, fact, index, changes)
    # After all acts: a count that moves hands a link over to the rule of another edition, and that is the last word.
    for _, plan in plans:
        for rule in plan.acts_asking.get(name, ()):
            _whole(rule, links, index, policies, changes)
        for rule in plan.asking.get(name, ()):
            if not types.isdisjoint(rule.trigger_types):
                _asked(rule, links, fact, index, policies, changes)
        for rule in plan.counting.get(name, ()):
            _counted(rule, links, fact, index, policies, changes)
    for rule in policies.edition(fact.edition).plan.opening.get(name, ()):
        if rule.when is None or rule.when(fact, index):
            for link in opening(rule, fact, fact.id, index):
                changes[link.id] = link
    return changes


def rearranged(links: Mapping[str, Link], before: FactIndex, index: FactIndex, policies: Policies) -> Changes:
    """What changes when other facts count than before: links of rules that have to do with them are derived anew."""
    types = {
        name
        for name in before.by_type.keys() | index.by_type.keys()
        if before.by_type.get(name) != index.by_type.get(name)
    }
    if before.roots != index.roots:  # the link of a trigger is named by the first event of its chain
        types |= {fact.type for fact in (*before.replaced.values(), *index.replaced.values())}
    rules: dict[RuleKey, Rule] = {}
    for edition in before.editions | index.editions:
        plan = policies.edition(edition).plan
        for name in types:
            found = [a.rule for a in plan.acting.get(name, {}).values()]
            for several in (plan.opening, plan.counting, plan.asking, plan.acts_asking):
                found += several.get(name, ())
            rules.update(((edition, rule.key), rule) for rule in found)
    for link_id in before.by_link.keys() | index.by_link.keys():
        link = links.get(link_id)
        if link is not None and before.about(link_id) != index.about(link_id):
            rules[link.edition, link.rule] = policies.edition(link.edition).plan.acts[link.rule].rule
    changes: Changes = {}
    for rule in rules.values():
        _whole(rule, links, index, policies, changes)
    return changes


def _waiting_for(
    acting: Mapping[str, Acts],
    edition: str,
    links: Mapping[str, Link],
    waiting: Mapping[RuleKey, Waiting] | None,
    fact: Fact,
) -> Iterable[tuple[Acts, Sequence[Link]]]:
    """The links that the act may change, by rule."""
    if waiting is None:
        found: dict[str, list[Link]] = {}
        for link in links.values():
            if link.rule in acting and link.edition == edition:
                found.setdefault(link.rule, []).append(link)
        return [(acting[key], of_rule) for key, of_rule in found.items()]
    groups = [(acts, held) for key, acts in acting.items() if (held := waiting.get((edition, key))) is not None]
    return [
        (acts, _of_rule(acts.rule, links) if _comes_late(fact, acts, held) else [links[i] for i in held.open])
        for acts, held in groups
    ]


def _comes_late(fact: Fact, acts: Acts, held: Waiting) -> bool:
    """Whether the act may change links that are settled."""
    at = fact.occurred_at
    if held.settled_at is not None and at <= held.settled_at:
        return True
    return fact.type in acts.pulls and held.due_at is not None and at < held.due_at


def _whole(rule: Rule, links: Mapping[str, Link], index: FactIndex, policies: Policies, changes: Changes) -> None:
    """Every link of the rule derived anew."""
    for link in _of_rule(rule, links):
        held = changes.get(link.id)
        if held is None or _is_of(rule, held):  # else the rule of another edition has taken the link over
            changes[link.id] = None
    changes.update((link.id, link) for link in derived(rule, index, policies))


def derived(rule: Rule, index: FactIndex, policies: Policies) -> Iterator[Link]:
    """The links of a rule of one edition, from the effective facts alone."""
    triggers = [f for name in rule.trigger_types for f in index.of_type(name) if f.edition == rule.edition]
    if triggers:
        yield from (link for link in links_of(rule, triggers, index, policies) if _is_of(rule, link))


def _acted(
    acts: Acts, links: Sequence[Link], facts: Mapping[str, Fact], fact: Fact, index: FactIndex, changes: Changes
) -> None:
    """The fact may be an act that these links of the rule wait for."""
    parts = [pair for pair in acts.by_type[fact.type] if pair[0].when is None or pair[0].when(fact, index)]
    for link in links if parts else ():
        due_at, acknowledged_at, changed = link.due_at, link.acknowledged_at, False
        trigger = _trigger(link, facts, index)
        for satisfier, part in parts:
            if not _counts(satisfier, part, link, fact, trigger):
                continue
            changed = True
            if part is Part.PULLS:
                due_at = fact.occurred_at
            elif part is Part.ACKNOWLEDGES:
                acknowledged_at = fact.occurred_at
        if changed:
            changes[link.id] = renewed(link, acts.rule, trigger, index, due_at, acknowledged_at)


def _counts(satisfier: Satisfier, part: Part, link: Link, fact: Fact, trigger: Fact) -> bool:
    """Whether the fact is the act, and earlier than what counts by now."""
    at = fact.occurred_at
    if part is Part.SATISFIES:
        earlier, agency = link.ended_at is None or at <= link.ended_at, link.agency
    elif part is Part.ACKNOWLEDGES:
        earlier, agency = link.acknowledged_at is None or at < link.acknowledged_at, link.agency
    else:
        earlier, agency = link.due_at is None or at < link.due_at, None
    return earlier and is_act(satisfier, fact, agency, trigger)


def _asked(
    rule: Rule, links: Mapping[str, Link], fact: Fact, index: FactIndex, policies: Policies, changes: Changes
) -> None:
    """The fact may change what a rule's condition says of triggers that were there before it."""
    since = None if fact.type in rule.asks_later else fact.occurred_at
    triggers = [
        trigger
        for name in rule.trigger_types
        if (group := index.of_type(name)) and (since is None or group[-1].occurred_at >= since)
        for trigger in group
        if trigger is not fact and (since is None or trigger.occurred_at >= since)
    ]
    if not triggers or (rule.stirred is not None and not rule.stirred(fact, index)):
        return
    if rule.count > 1:
        _whole(rule, links, index, policies, changes)
        return
    for trigger in triggers:
        if trigger.edition != rule.edition:
            continue
        root = index.root(trigger)
        known = [ids.link_id(trigger.case_id, rule.key, root, o.agency, o.role) for o in rule.owing]
        if rule.when is None or rule.when(trigger, index):
            if not all(i in links for i in known):
                changes.update((link.id, link) for link in opening(rule, trigger, root, index))
        else:
            changes.update((i, None) for i in known if i in links)


def _counted(
    rule: Rule, links: Mapping[str, Link], fact: Fact, index: FactIndex, policies: Policies, changes: Changes
) -> None:
    """A trigger more of a counting rule: reported in order, it changes no earlier count."""
    groups = [group for name in rule.trigger_types if (group := index.of_type(name))]
    in_order = all(group[-1].order <= fact.order for group in groups)
    if in_order and (rule.edition != fact.edition or not may_open(rule, fact, index, policies)):
        return
    _whole(rule, links, index, policies, changes)


def _of_rule(rule: Rule, links: Mapping[str, Link]) -> list[Link]:
    return [link for link in links.values() if _is_of(rule, link)]


def _is_of(rule: Rule, link: Link) -> bool:
    return link.rule == rule.key and link.edition == rule.edition


def _trigger(link: Link, facts: Mapping[str, Fact], index: FactIndex) -> Fact:
    """The fact that counts as the link's trigger."""
    return index.replaced.get(link.trigger_id) or facts[link.trigger_id]
