"""Which links of a case one more fact changes, and what they are then: only those it can change are looked at.

The fact only adds: it corrects, retracts and moves nothing, and nothing known corrects it. Deriving every link anew
(`ccr_events.core.fold.derive_all`) must always agree; the laws of the core are tested on that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
    waiting: Mapping[RuleKey, Waiting],
    facts: Mapping[str, Fact],
    fact: Fact,
    index: FactIndex,
    policies: Policies,
) -> Changes:
    """What the fact changes. `links` and `waiting` are as they were before it, `facts` and `index` have it."""
    target = link_of(fact)
    if target is not None:  # What is said of one link changes no other.
        link = links.get(target)
        if link is None:
            return {}
        rule = policies.edition(link.edition).plan.acts[link.rule].rule
        trigger = _trigger(link, facts, index)
        return {target: renewed(link, rule, trigger, index, link.due_at, link.acknowledged_at)}
    changes: Changes = {}
    for group in waiting.values():
        acts = group.acts
        if fact.type in acts.by_type:
            _acted(acts, group, links, facts, fact, index, changes)
        if fact.type in acts.rule.acts_ask:
            changes.update(whole(acts.rule, links, index, policies))
    for edition in index.editions:
        for rule in policies.edition(edition).plan.asking.get(fact.type, ()):
            _asked(rule, links, fact, index, policies, changes)
        for rule in policies.edition(edition).plan.counting.get(fact.type, ()):
            _counted(rule, links, fact, index, policies, changes)
    for rule in policies.edition(fact.edition).plan.opening.get(fact.type, ()):
        if rule.when is None or rule.when(fact, index):
            for link in opening(rule, fact, fact.id, index):
                changes[link.id] = link
    return changes


def whole(
    rule: Rule, links: Mapping[str, Link], index: FactIndex, policies: Policies
) -> Iterator[tuple[str, Link | None]]:
    """Every link of the rule derived anew."""
    current = {link.id: link for link in derived(rule, index, policies)}
    for link in _of_rule(rule, links):
        if link.id not in current:
            yield link.id, None
    yield from current.items()


def derived(rule: Rule, index: FactIndex, policies: Policies) -> Iterator[Link]:
    """The links of a rule of one edition, from the effective facts alone."""
    triggers = [f for name in rule.trigger_types for f in index.of_type(name) if f.edition == rule.edition]
    if triggers:
        yield from (link for link in links_of(rule, triggers, index, policies) if _is_of(rule, link))


def _acted(
    acts: Acts,
    group: Waiting,
    links: Mapping[str, Link],
    facts: Mapping[str, Fact],
    fact: Fact,
    index: FactIndex,
    changes: Changes,
) -> None:
    """The fact may be an act that links of the rule wait for."""
    parts = [pair for pair in acts.by_type[fact.type] if pair[0].when is None or pair[0].when(fact, index)]
    if not parts:
        return
    late = group.settled_at is not None and fact.occurred_at <= group.settled_at
    for link in _of_rule(acts.rule, links) if late else [links[i] for i in group.open]:
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
        changes.update(whole(rule, links, index, policies))
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
    changes.update(whole(rule, links, index, policies))


def _of_rule(rule: Rule, links: Mapping[str, Link]) -> Iterable[Link]:
    return [link for link in links.values() if _is_of(rule, link)]


def _is_of(rule: Rule, link: Link) -> bool:
    return link.rule == rule.key and link.edition == rule.edition


def _trigger(link: Link, facts: Mapping[str, Fact], index: FactIndex) -> Fact:
    """The fact that counts as the link's trigger."""
    return index.replaced.get(link.trigger_id) or facts[link.trigger_id]
