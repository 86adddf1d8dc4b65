"""Links from facts: what a rule makes of the facts of a case. Pure functions of the set of facts.

Because nothing here looks at how the facts arrived, any order of arrival ends in the same links.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter

from ccr_events.core import ids
from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link, LinkState, Step
from ccr_events.core.rules import Policies, Rule, Satisfier

ACKNOWLEDGED = "link.acknowledged"
COMPLETED = "link.completed"
WAIVED = "link.waived"
DEADLINE_REACHED = "link.deadline_reached"
NOTIFIED = "link.notified"

ABOUT_ONE_LINK = frozenset({ACKNOWLEDGED, COMPLETED})
"""Acts that count for the link they name, and for no other."""
_NO_TIME = timedelta(0)
_FEW = 8
_occurred_at = attrgetter("occurred_at")
_order = attrgetter("order")


def links_of(rule: Rule, triggers: Iterable[Fact], index: FactIndex, policies: Policies) -> Iterator[Link]:
    """Every link that these trigger facts open under the rule (all trigger facts when the rule counts)."""
    opened = _counted(rule, index, policies) if rule.count > 1 else _each(rule, triggers, index)
    for ruling, trigger, name in opened:
        yield from opening(ruling, trigger, name, index)


def opening(rule: Rule, trigger: Fact, name: str, index: FactIndex) -> list[Link]:
    """The links that one trigger opens, one for each who owes; `name` is its root id, or which time the count is
    reached."""
    case_id, at, root = trigger.case_id, trigger.occurred_at, index.root(trigger)
    lag_s = max(0, int((trigger.recorded_at - at).total_seconds()))
    references = tuple([(r["kind"], r["number"]) for r in trigger.data.get("references", ())])
    quiet = not _acted_since(rule, at - rule.look_back, index)
    due_at = rule.due(trigger) if quiet else _due(rule, trigger, index)
    opened: list[Link] = []
    for owing in rule.owing:
        agency, role = owing.agency, owing.role
        link_id = ids.link_id(case_id, rule.key, name, agency, role)
        about = index.about(link_id)
        head = (link_id, case_id, rule.key, rule.edition, root, agency, role, rule.urgency, at, due_at, lag_s)
        if quiet and not about:
            steps = _silence(rule, agency, role, due_at)
            opened.append(Link(*head, LinkState.OPENED, False, steps, None, None, None, None, references))
            continue
        acknowledged_at = _acknowledged(rule, agency, trigger, index, about)
        ended_by, state = _end(rule, agency, trigger, index, about)
        standing = _standing(rule, agency, role, due_at, acknowledged_at, ended_by, state, about)
        opened.append(Link(*head, *standing, references))
    return opened


def _acted_since(rule: Rule, since: datetime, index: FactIndex) -> bool:
    """Whether any act that the rule names has happened since then."""
    by_type = index.by_type
    for name in rule.act_types:
        group = by_type.get(name)
        if group is not None and group[-1].occurred_at >= since:
            return True
    return False


def renewed(
    link: Link,
    rule: Rule,
    trigger: Fact,
    index: FactIndex,
    due_at: datetime | None,
    acknowledged_at: datetime | None,
) -> Link:
    """A link whose trigger stands, with what more is known: its due time, its acknowledgement by acts of the case, and
    all that the acts that end it and the events about it say."""
    about = index.about(link.id)
    if about:
        acknowledged_at = _acknowledged(rule, link.agency, trigger, index, about)
    ended_by, state = _end(rule, link.agency, trigger, index, about)
    return Link(
        link.id,
        link.case_id,
        link.rule,
        link.edition,
        link.trigger_id,
        link.agency,
        link.role,
        link.urgency,
        link.opened_at,
        due_at,
        link.lag_s,
        *_standing(rule, link.agency, link.role, due_at, acknowledged_at, ended_by, state, about),
        link.references,
    )


def _standing(
    rule: Rule,
    agency: str,
    role: str,
    due_at: datetime | None,
    acknowledged_at: datetime | None,
    ended_by: Fact | None,
    state: LinkState,
    about: Sequence[Fact],
) -> tuple[LinkState, bool, tuple[Step, ...], datetime | None, datetime | None, datetime | None, str | None]:
    """The fields of a link from `state` to `ended_by`."""
    if state is LinkState.OPENED and acknowledged_at is not None:
        state = LinkState.ACKNOWLEDGED
    ended_at, ended_id = (None, None) if ended_by is None else (ended_by.occurred_at, ended_by.id)
    if not about:
        return state, False, _silence(rule, agency, role, due_at), None, acknowledged_at, ended_at, ended_id
    steps = _steps(rule, agency, role, due_at, ended_at, about)
    notified_at = next((f.occurred_at for f in about if f.type == NOTIFIED), None)
    overdue = any(s.number == 0 and s.reached for s in steps)
    return state, overdue, steps, notified_at, acknowledged_at, ended_at, ended_id


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
        ruling = edition_of_rule(rule, fact, policies)
        if ruling is None:
            continue
        if ruling.consecutive_reset is not None and ruling.consecutive_reset(fact, index):
            count = 0
        elif ruling.when is None or ruling.when(fact, index):
            count += 1
            if count == ruling.count:
                times += 1
                yield ruling, fact, f"{times}. time"


def may_open(rule: Rule, fact: Fact, index: FactIndex, policies: Policies) -> bool:
    """Whether the newest of all trigger facts of a counting rule of its own edition makes the count full."""
    if (rule.consecutive_reset is not None and rule.consecutive_reset(fact, index)) or not (
        rule.when is None or rule.when(fact, index)
    ):
        return False
    count = 0
    groups = (reversed(index.of_type(name)) for name in rule.trigger_types)
    for earlier in merge(*groups, key=_order, reverse=True):
        ruling = edition_of_rule(rule, earlier, policies)
        if ruling is None:
            continue
        if ruling.consecutive_reset is not None and ruling.consecutive_reset(earlier, index):
            break
        count += ruling.when is None or ruling.when(earlier, index)
        if count > rule.count:
            return False
    return count == rule.count


def edition_of_rule(rule: Rule, fact: Fact, policies: Policies) -> Rule | None:
    """The rule as the fact's own edition has it; None where that has none for such facts."""
    if fact.edition == rule.edition:
        return rule
    found = policies.edition(fact.edition).by_trigger.get(fact.type, ())
    return next((r for r in found if r.key == rule.key), None)


def _in_order(types: Iterable[str], index: FactIndex) -> Sequence[Fact]:
    groups = [group for name in types if (group := index.of_type(name))]
    if len(groups) == 1:
        return groups[0]
    return sorted((fact for group in groups for fact in group), key=_order)


def _due(rule: Rule, trigger: Fact, index: FactIndex) -> datetime | None:
    due = rule.due(trigger)
    for satisfier in rule.pulled_by:
        pull = _first_match(satisfier, None, trigger, index, ())
        if pull is not None and (due is None or pull.occurred_at < due):
            due = pull.occurred_at
    return due


def _end(
    rule: Rule, agency: str, trigger: Fact, index: FactIndex, about: Sequence[Fact]
) -> tuple[Fact | None, LinkState]:
    """The fact that ended the link, the earliest of all that would, and the state it left the link in."""
    done = _satisfied(rule, agency, trigger, index, about)
    let_go = next((f for f in about if f.type == WAIVED and _may_waive(rule, f)), None) if about else None
    if done is not None and (let_go is None or done.order <= let_go.order):
        return done, LinkState.SATISFIED
    if let_go is not None:
        return let_go, LinkState.WAIVED
    return None, LinkState.OPENED


def _satisfied(rule: Rule, agency: str, trigger: Fact, index: FactIndex, about: Sequence[Fact]) -> Fact | None:
    last: Fact | None = None
    for group in rule.satisfied_by:
        first: Fact | None = None
        for satisfier in group:
            match = _first_match(satisfier, agency, trigger, index, about)
            if match is not None and (first is None or match.order < first.order):
                first = match
        if first is None:
            return None
        if last is None or first.order > last.order:
            last = first
    return last


def _acknowledged(rule: Rule, agency: str, trigger: Fact, index: FactIndex, about: Sequence[Fact]) -> datetime | None:
    times = [f.occurred_at for f in about if f.type == ACKNOWLEDGED and f.agency == agency]
    for satisfier in rule.acknowledged_by:
        match = _first_match(satisfier, agency, trigger, index, about)
        if match is not None:
            times.append(match.occurred_at)
    return min(times, default=None)


def _first_match(
    satisfier: Satisfier, agency: str | None, trigger: Fact, index: FactIndex, about: Sequence[Fact]
) -> Fact | None:
    """The first fact in canonical order that is the act; `agency` owes it."""
    if satisfier.type in ABOUT_ONE_LINK:
        candidates: Sequence[Fact] = [f for f in about if f.type == satisfier.type] if about else ()
        start = 0
    else:
        candidates = index.of_type(satisfier.type)
        start = _since(candidates, trigger.occurred_at - satisfier.look_back)
    if start == len(candidates):
        return None
    for fact in candidates[start:] if start else candidates:
        if satisfier.by_owing_agency and agency is not None and fact.agency != agency:
            continue
        if satisfier.same and not _same(satisfier.same, trigger, fact):
            continue
        if satisfier.when is None or satisfier.when(fact, index):
            return fact
    return None


def _since(facts: Sequence[Fact], at: datetime) -> int:
    """How many of these facts, which are in canonical order, happened before that instant."""
    if len(facts) > _FEW:
        return bisect_left(facts, at, key=_occurred_at)
    before = 0
    for fact in facts:
        if fact.occurred_at >= at:
            break
        before += 1
    return before


def is_act(satisfier: Satisfier, fact: Fact, agency: str | None, trigger: Fact) -> bool:
    """Whether a fact of the satisfier's type, for which its `when` holds, is the act that a link of this trigger is
    about; `agency` owes it."""
    if fact.occurred_at < trigger.occurred_at - satisfier.look_back:
        return False
    if satisfier.by_owing_agency and agency is not None and fact.agency != agency:
        return False
    return not satisfier.same or _same(satisfier.same, trigger, fact)


def _same(kinds: Sequence[str], one: Fact, other: Fact) -> bool:
    """True unless both carry numbers of a kind and share none of them."""
    ours, theirs = one.data.get("references"), other.data.get("references")
    if not ours or not theirs:
        return True
    for kind in kinds:
        mine = [r["number"] for r in ours if r["kind"] == kind]
        if not mine:
            continue
        found = [r["number"] for r in theirs if r["kind"] == kind]
        if found and set(mine).isdisjoint(found):
            return False
    return True


def _may_waive(rule: Rule, fact: Fact) -> bool:
    return (fact.agency, fact.data.get("role")) in rule.waivers


def _silence(rule: Rule, agency: str, role: str, due_at: datetime | None) -> tuple[Step, ...]:
    """The due time and the ladder, nothing of them reached."""
    if due_at is None:
        return ()
    climbed = [Step(n, due_at + rung.after, rung.agency, rung.role) for n, rung in enumerate(rule.ladder, 1)]
    return (Step(0, due_at, agency, role), *climbed)


def _steps(
    rule: Rule, agency: str, role: str, due_at: datetime | None, ended_at: datetime | None, about: Sequence[Fact]
) -> tuple[Step, ...]:
    """The due time, the ladder and, once all of it is climbed, reminders; with what was reached in time."""
    waiting = _silence(rule, agency, role, due_at)
    fired = {(f.data["step"], datetime.fromisoformat(f.data["due_at"])) for f in about if f.type == DEADLINE_REACHED}
    if not waiting or not fired:
        return waiting

    def step(number: int, at: datetime, agency: str, role: str) -> Step:
        in_time = ended_at is not None and ended_at <= at
        return Step(number, at, agency, role, (number, at) in fired and not in_time)

    steps = [step(s.number, s.at, s.agency, s.role) for s in waiting]
    last = max(steps, key=lambda s: (s.at, s.number))
    wait = rule.remind_every
    while wait > _NO_TIME and all(s.reached for s in steps):
        last = step(len(steps), last.at + wait, last.agency, last.role)
        steps.append(last)
        wait *= 2
    return tuple(steps)
