"""Links from facts: what a rule makes of the facts of a case. Pure functions of the set of facts.

Because nothing here looks at how the facts arrived, any order of arrival ends in the same links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from ccr_events.core import ids
from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link, LinkState, Step
from ccr_events.core.rules import Owing, Policies, Rule, Satisfier

ACKNOWLEDGED = "link.acknowledged"
COMPLETED = "link.completed"
WAIVED = "link.waived"
DEADLINE_REACHED = "link.deadline_reached"
NOTIFIED = "link.notified"

_ABOUT_ONE_LINK = frozenset({ACKNOWLEDGED, COMPLETED})
_NO_TIME = timedelta(0)


def links_of(rule: Rule, triggers: Iterable[Fact], index: FactIndex, policies: Policies) -> Iterator[Link]:
    """Every link that these trigger facts open under the rule (all trigger facts when the rule counts)."""
    opened = _counted(rule, index, policies) if rule.count > 1 else _each(rule, triggers, index)
    for ruling, trigger, name in opened:
        for owing in ruling.owing:
            yield _link(ruling, owing, trigger, name, index)


def _each(rule: Rule, triggers: Iterable[Fact], index: FactIndex) -> Iterator[tuple[Rule, Fact, str]]:
    for fact in triggers:
        if rule.when is None or rule.when(fact, index):
            yield rule, fact, index.root(fact)


def _counted(rule: Rule, index: FactIndex, policies: Policies) -> Iterator[tuple[Rule, Fact, str]]:
    """A counting rule opens at the n-th matching fact in order of occurrence.

    Each fact is judged by its own edition of the rule. The link is named by how many times the count was reached,
    so that a late report of an earlier fact moves the trigger but not the link's identity.
    """
    count = times = 0
    for fact in _in_order(rule.trigger_types, index):
        ruling = _edition_of_rule(rule, fact, policies)
        if ruling is None:
            continue
        if ruling.consecutive_reset is not None and ruling.consecutive_reset(fact, index):
            count = 0
        elif ruling.when is None or ruling.when(fact, index):
            count += 1
            if count == ruling.count:
                times += 1
                yield ruling, fact, f"{times}. time"


def _edition_of_rule(rule: Rule, fact: Fact, policies: Policies) -> Rule | None:
    if fact.edition == rule.edition:
        return rule
    found = policies.edition(fact.edition).by_trigger.get(fact.type, ())
    return next((r for r in found if r.key == rule.key), None)


def _in_order(types: Iterable[str], index: FactIndex) -> Sequence[Fact]:
    facts = [fact for name in types for fact in index.of_type(name)]
    facts.sort(key=lambda f: f.order)
    return facts


def _link(rule: Rule, owing: Owing, trigger: Fact, name: str, index: FactIndex) -> Link:
    link_id = ids.link_id(trigger.case_id, rule.key, name, owing.agency, owing.role)
    about = index.about(link_id)
    due_at = _due(rule, trigger, index)
    ended_by, state = _end(rule, owing, trigger, index, about)
    ended_at = ended_by.occurred_at if ended_by else None
    acknowledged_at = _acknowledged(rule, owing, trigger, index, about)
    if state is LinkState.OPENED and acknowledged_at is not None:
        state = LinkState.ACKNOWLEDGED
    steps = _steps(rule, owing, due_at, ended_at, about)
    return Link(
        id=link_id,
        case_id=trigger.case_id,
        rule=rule.key,
        edition=rule.edition,
        trigger_id=index.root(trigger),
        agency=owing.agency,
        role=owing.role,
        urgency=rule.urgency,
        opened_at=trigger.occurred_at,
        due_at=due_at,
        lag_s=max(0, int((trigger.recorded_at - trigger.occurred_at).total_seconds())),
        state=state,
        overdue=bool(steps) and any(s.number == 0 and s.reached for s in steps),
        steps=steps,
        notified_at=next((f.occurred_at for f in about if f.type == NOTIFIED), None),
        acknowledged_at=acknowledged_at,
        ended_at=ended_at,
        ended_by=ended_by.id if ended_by else None,
        references=tuple((r["kind"], r["number"]) for r in trigger.data.get("references", ())),
    )


def _due(rule: Rule, trigger: Fact, index: FactIndex) -> datetime | None:
    due = rule.due(trigger)
    for satisfier in rule.pulled_by:
        pull = _first_match(satisfier, None, trigger, index, ())
        if pull is not None and (due is None or pull.occurred_at < due):
            due = pull.occurred_at
    return due


def _end(
    rule: Rule, owing: Owing, trigger: Fact, index: FactIndex, about: Sequence[Fact]
) -> tuple[Fact | None, LinkState]:
    """The fact that ended the link, the earliest of all that would, and the state it left the link in."""
    done = _satisfied(rule, owing, trigger, index, about)
    let_go = next((f for f in about if f.type == WAIVED and _may_waive(rule, f)), None)
    if done is not None and (let_go is None or done.order <= let_go.order):
        return done, LinkState.SATISFIED
    if let_go is not None:
        return let_go, LinkState.WAIVED
    return None, LinkState.OPENED


def _satisfied(rule: Rule, owing: Owing, trigger: Fact, index: FactIndex, about: Sequence[Fact]) -> Fact | None:
    last: Fact | None = None
    for group in rule.satisfied_by:
        matches = [_first_match(satisfier, owing, trigger, index, about) for satisfier in group]
        first = min((m for m in matches if m is not None), key=lambda f: f.order, default=None)
        if first is None:
            return None
        if last is None or first.order > last.order:
            last = first
    return last


def _acknowledged(rule: Rule, owing: Owing, trigger: Fact, index: FactIndex, about: Sequence[Fact]) -> datetime | None:
    times = [f.occurred_at for f in about if f.type == ACKNOWLEDGED and f.agency == owing.agency]
    for satisfier in rule.acknowledged_by:
        match = _first_match(satisfier, owing, trigger, index, about)
        if match is not None:
            times.append(match.occurred_at)
    return min(times, default=None)


def _first_match(
    satisfier: Satisfier, owing: Owing | None, trigger: Fact, index: FactIndex, about: Sequence[Fact]
) -> Fact | None:
    if satisfier.type in _ABOUT_ONE_LINK:
        candidates = [f for f in about if f.type == satisfier.type]
    else:
        candidates = list(index.of_type(satisfier.type))
    if not candidates:
        return None
    since = trigger.occurred_at - satisfier.look_back
    numbers = _numbers(trigger, satisfier.same) if satisfier.same else {}
    for fact in candidates:
        if fact.occurred_at < since and satisfier.type not in _ABOUT_ONE_LINK:
            continue
        if satisfier.by_owing_agency and owing is not None and fact.agency != owing.agency:
            continue
        if numbers and not _same(numbers, fact):
            continue
        if satisfier.when is None or satisfier.when(fact, index):
            return fact
    return None


def _numbers(fact: Fact, kinds: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for reference in fact.data.get("references", ()):
        if reference["kind"] in kinds:
            found.setdefault(reference["kind"], set()).add(reference["number"])
    return found


def _same(numbers: dict[str, set[str]], fact: Fact) -> bool:
    """True unless both carry numbers of a kind and share none of them."""
    theirs = _numbers(fact, numbers)
    return all(not other.isdisjoint(numbers[kind]) for kind, other in theirs.items())


def _may_waive(rule: Rule, fact: Fact) -> bool:
    return (fact.agency, fact.data.get("role")) in rule.waivers


def _steps(
    rule: Rule, owing: Owing, due_at: datetime | None, ended_at: datetime | None, about: Sequence[Fact]
) -> tuple[Step, ...]:
    """The due time, the ladder and, once all of it is climbed, reminders; with what was reached in time."""
    if due_at is None:
        return ()
    fired = {(f.data["step"], datetime.fromisoformat(f.data["due_at"])) for f in about if f.type == DEADLINE_REACHED}

    def step(number: int, at: datetime, agency: str, role: str) -> Step:
        in_time = ended_at is not None and ended_at <= at
        return Step(number, at, agency, role, reached=(number, at) in fired and not in_time)

    steps = [step(0, due_at, owing.agency, owing.role)]
    steps += [step(n, due_at + rung.after, rung.agency, rung.role) for n, rung in enumerate(rule.ladder, 1)]
    last = max(steps, key=lambda s: (s.at, s.number))
    wait = rule.remind_every
    while wait > _NO_TIME and all(s.reached for s in steps):
        last = step(len(steps), last.at + wait, last.agency, last.role)
        steps.append(last)
        wait *= 2
    return tuple(steps)
