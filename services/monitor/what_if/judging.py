"""One case under the policies that were in force and under a draft: which links differ, and how.

Deadlines on the log were those of the policies in force, so neither side is judged by them: on both, a step counts as
reached when its instant passed before the link ended, up to the time asked about. Answers to links that keep their id
(case, rule, trigger, owing agency and role) count under the draft as they do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from ccr_events.core import moves
from ccr_events.core.fold import refold
from ccr_events.core.model import Fact, Link
from ccr_events.policy.draft import DraftBook, drafted

Kind = Literal["added", "removed", "deadline", "outcome", "same"]
"""`deadline`: the due time moves; `outcome`: it does not, but what became of the link does."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one link."""

    due_at: datetime | None
    state: str
    overdue: bool
    steps: int
    """Steps of its ladder that were reached."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One link before and under the draft; None where it is not there."""

    kind: Kind
    case_id: str
    link_id: str
    rule: str
    agency: str
    role: str
    opened_at: datetime
    before: Judged | None
    after: Judged | None


def compared(
    case_id: str, facts: Mapping[str, Fact], book: DraftBook, since: datetime | None, as_of: datetime
) -> Iterator[Compared]:
    """Every link of a case. `since`: facts recorded from then on are judged by the draft; None: all of them."""
    before = refold(case_id, facts, book).links
    restamped = {fact.id: restamp(fact, since) for fact in facts.values()}
    after = refold(case_id, restamped, book).links
    for link_id in sorted(before.keys() | after.keys()):
        old, new = before.get(link_id), after.get(link_id)
        link = new or old
        if link is not None:
            was, would = judged(old, book, as_of), judged(new, book, as_of)
            yield Compared(
                kind_of(was, would),
                link.case_id,
                link.id,
                link.rule,
                link.agency,
                link.role,
                link.opened_at,
                was,
                would,
            )


def judged(link: Link | None, book: DraftBook, as_of: datetime) -> Judged | None:
    """What became of a link by then."""
    if link is None:
        return None
    due_at = link.due_at
    if due_at is None:
        return Judged(None, link.state.value, overdue=False, steps=0)

    def reached(at: datetime) -> bool:
        return at <= as_of and (link.ended_at is None or at < link.ended_at)

    rungs = book.edition(link.edition).rule(link.rule).ladder
    steps = sum(reached(due_at + rung.after) for rung in rungs)
    return Judged(due_at, link.state.value, overdue=reached(due_at), steps=steps)


def kind_of(before: Judged | None, after: Judged | None) -> Kind:
    """How they differ."""
    if before is None:
        return "added"
    if after is None:
        return "removed"
    if before.due_at != after.due_at:
        return "deadline"
    return "same" if before == after else "outcome"


def restamp(fact: Fact, since: datetime | None) -> Fact:
    """The fact as it would be had the draft been in force when it was recorded."""
    data = fact.data
    if fact.type == moves.ABSORBED and _from(datetime.fromisoformat(data["recorded_at"]), since):
        data = {**data, "edition": drafted(data["edition"])}
    edition = drafted(fact.edition) if _from(fact.recorded_at, since) else fact.edition
    return replace(fact, edition=edition, data=data)


def _from(at: datetime, since: datetime | None) -> bool:
    return since is None or at >= since
