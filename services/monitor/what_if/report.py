"""What a draft would have changed, summed up by rule and owing agency. Bounded by the rules there are."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.monitor.indicators.spread import Spread
from services.monitor.what_if.judging import Compared

MAX_EXAMPLES = 3
"""Cases named per rule and agency."""


@dataclass(slots=True)
class Row:
    """The links of one rule that one agency owes."""

    before: int = 0
    """Links as history had them."""
    after: int = 0
    """Links under the draft."""
    added: int = 0
    removed: int = 0
    earlier: int = 0
    """Links on both sides that would be due earlier, or would have a due time at all."""
    later: int = 0
    outcome: int = 0
    """Links due at the same time of which something else would have become."""
    overdue_before: int = 0
    overdue_after: int = 0
    steps_before: int = 0
    """Steps of ladders reached."""
    steps_after: int = 0
    time_before: Spread = field(default_factory=Spread)
    """Time to act of links whose due time moves."""
    time_after: Spread = field(default_factory=Spread)
    examples: list[str] = field(default_factory=list)
    """Ids of cases in which something changes; the first of them."""

    @property
    def changed(self) -> bool:
        """Whether anything would be otherwise."""
        return bool(self.added or self.removed or self.earlier or self.later or self.outcome)

    @property
    def moved(self) -> int:
        """Links whose due time would move."""
        return self.earlier + self.later

    def add(self, link: Compared) -> None:
        """Take in one link."""
        was, would = link.before, link.after
        if was is not None:
            self.before += 1
            self.overdue_before += was.overdue
            self.steps_before += was.steps
        if would is not None:
            self.after += 1
            self.overdue_after += would.overdue
            self.steps_after += would.steps
        if link.kind != "same" and link.case_id not in self.examples and len(self.examples) < MAX_EXAMPLES:
            self.examples.append(link.case_id)
        self.added += link.kind == "added"
        self.removed += link.kind == "removed"
        self.outcome += link.kind == "outcome"
        if link.kind == "deadline" and was is not None and would is not None:
            sooner = would.due_at is not None and (was.due_at is None or would.due_at < was.due_at)
            self.earlier += sooner
            self.later += not sooner
            if was.due_at is not None and would.due_at is not None:
                self.time_before.add(was.due_at - link.opened_at)
                self.time_after.add(would.due_at - link.opened_at)

    def merge(self, other: Row) -> None:
        """Take in another part."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.time_before.merge(other.time_before)
        self.time_after.merge(other.time_after)
        more = [case_id for case_id in other.examples if case_id not in self.examples]
        self.examples += more[: MAX_EXAMPLES - len(self.examples)]


_COUNTS = (
    "before",
    "after",
    "added",
    "removed",
    "earlier",
    "later",
    "outcome",
    "overdue_before",
    "overdue_after",
    "steps_before",
    "steps_after",
)


@dataclass(slots=True)
class Outcome:
    """What the draft would have changed."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """(rule, owing agency) → its links."""
    events: int = 0
    cases: int = 0
    cases_changed: int = 0

    def take(self, links: list[Compared], events: int) -> None:
        """Add one case."""
        self.cases += 1
        self.events += events
        self.cases_changed += any(link.kind != "same" for link in links)
        for link in links:
            self.rows.setdefault((link.rule, link.agency), Row()).add(link)

    def merge(self, other: Outcome) -> None:
        """Add another part."""
        self.events += other.events
        self.cases += other.cases
        self.cases_changed += other.cases_changed
        for place, row in other.rows.items():
            self.rows.setdefault(place, Row()).merge(row)

    def changed(self) -> list[tuple[str, str, Row]]:
        """(rule, agency, links) where anything would be otherwise, by rule."""
        return [(rule, agency, row) for (rule, agency), row in sorted(self.rows.items()) if row.changed]
