"""Which links of a case further acts can still change: kept beside the links, and an act is held against these only.

A link is settled once an act that happens later neither ends nor acknowledges it: it has ended, and it is acknowledged
if acts of the case can do that. An act that is reported late may still change it, and one that makes it due at once
may until it is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from ccr_events.core.model import Link
from ccr_events.core.persistent import with_many, with_one
from ccr_events.core.rules import Acts, Policies


class Waiting(Struct, frozen=True):
    """The links of one rule."""

    acts: Acts
    open: Mapping[str, None]
    """Ids of those that are not settled."""
    settled_at: datetime | None
    """None of the others can be ended or acknowledged by an act later than this."""
    due_at: datetime | None
    """None of the others can be made due by an act that is not earlier than this."""


RuleKey = tuple[str, str]
"""(edition, key)."""


def settled_at(link: Link, acts: Acts) -> datetime | None:
    """The instant after which no act ends or acknowledges the link; None while one may."""
    at = link.ended_at
    if at is None:
        return None
    if acts.acknowledged:
        if link.acknowledged_at is None:
            return None
        at = max(at, link.acknowledged_at)
    return None if acts.pulls and link.due_at is None else at


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def waiting_of(links: Iterable[Link], policies: Policies) -> Mapping[RuleKey, Waiting]:
    """From all links of a case."""
    acts: dict[RuleKey, Acts] = {}
    open_: dict[RuleKey, dict[str, None]] = {}
    until: dict[RuleKey, datetime | None] = {}
    due: dict[RuleKey, datetime | None] = {}
    for link in links:
        rule = (link.edition, link.rule)
        if rule not in acts:
            acts[rule] = policies.edition(link.edition).plan.acts[link.rule]
            open_[rule] = {}
        settled = settled_at(link, acts[rule])
        if settled is None:
            open_[rule][link.id] = None
        else:
            until[rule], due[rule] = _later(until.get(rule), settled), _later(due.get(rule), link.due_at)
    return {rule: Waiting(acts[rule], open_[rule], until.get(rule), due.get(rule)) for rule in acts}


def changed(
    waiting: Mapping[RuleKey, Waiting], changes: Iterable[tuple[Link | None, Link | None]], policies: Policies
) -> Mapping[RuleKey, Waiting]:
    """With what became of links: (before, after) each, None where there is none."""
    anew: dict[RuleKey, Waiting] = {}
    for before, after in changes:
        if before is not None and after is not None and before.edition == after.edition:
            _change(waiting, anew, before, after, policies)
            continue
        if before is not None:  # the n-th time of a counting rule may move to a fact of another edition
            _change(waiting, anew, before, None, policies)
        if after is not None:
            _change(waiting, anew, None, after, policies)
    return with_many(waiting, anew) if anew else waiting


def _change(
    waiting: Mapping[RuleKey, Waiting],
    anew: dict[RuleKey, Waiting],
    before: Link | None,
    after: Link | None,
    policies: Policies,
) -> None:
    link = before if after is None else after
    assert link is not None  # noqa: S101  # one of the two is there
    rule = (link.edition, link.rule)
    held = anew.get(rule) or waiting.get(rule)
    if held is None:
        held = Waiting(policies.edition(link.edition).plan.acts[link.rule], {}, None, None)
    was_open = before is not None and settled_at(before, held.acts) is None
    settled = None if after is None else settled_at(after, held.acts)
    is_open = after is not None and settled is None
    if settled is None and is_open == was_open:
        return
    open_, until, due_at = held.open, held.settled_at, held.due_at
    if is_open and not was_open:
        open_ = with_one(open_, link.id, None)
    elif was_open and not is_open:
        open_ = with_many(open_, {}, (link.id,))
    if settled is not None:
        until, due_at = _later(until, settled), _later(due_at, link.due_at)
    anew[rule] = Waiting(held.acts, open_, until, due_at)
