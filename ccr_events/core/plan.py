"""From the rules of an edition to what an event of a type can change, looked up once and not at every event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ccr_events.core.derive import ABOUT_ONE_LINK
from ccr_events.core.rules import Acts, Part, Plan, Rule, Satisfier


def plan_of(rules: Iterable[Rule]) -> Plan:
    """The plan of one edition's rules."""
    ordered = sorted(rules, key=lambda rule: rule.key)
    acts = {rule.key: _acts(rule) for rule in ordered}
    acting: dict[str, dict[str, Acts]] = {}
    for key, found in acts.items():
        for name in found.by_type:
            acting.setdefault(name, {})[key] = found
    return Plan(
        opening=_by_type((name, rule) for rule in ordered if rule.count == 1 for name in rule.trigger_types),
        counting=_by_type((name, rule) for rule in ordered if rule.count > 1 for name in rule.trigger_types),
        asking=_by_type((name, rule) for rule in ordered for name in rule.asks),
        acts=acts,
        acting=acting,
        acts_asking=_by_type((name, rule) for rule in ordered for name in rule.acts_ask),
    )


def _by_type(pairs: Iterable[tuple[str, Rule]]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, list[Rule]] = {}
    for name, rule in pairs:
        found.setdefault(name, []).append(rule)
    return {name: tuple(rules) for name, rules in found.items()}


def _acts(rule: Rule) -> Acts:
    parts = [(satisfier, Part.SATISFIES) for group in rule.satisfied_by for satisfier in group]
    parts += [(satisfier, Part.ACKNOWLEDGES) for satisfier in rule.acknowledged_by]
    parts += [(satisfier, Part.PULLS) for satisfier in rule.pulled_by]
    by_type: dict[str, list[tuple[Satisfier, Part]]] = {}
    for satisfier, part in parts:
        if satisfier.type not in ABOUT_ONE_LINK:
            by_type.setdefault(satisfier.type, []).append((satisfier, part))
    acknowledged = any(satisfier.type not in ABOUT_ONE_LINK for satisfier in rule.acknowledged_by)
    pulls = frozenset(satisfier.type for satisfier in rule.pulled_by) & by_type.keys()
    return Acts(rule, {name: tuple(found) for name, found in by_type.items()}, acknowledged, pulls)
