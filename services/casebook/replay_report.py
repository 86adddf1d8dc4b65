"""What a replay found: how much there is, and what of it is not what the log says. Named by id only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

MAX_DIFFERENCES = 1_000
"""Differences named in a report; further ones are counted."""
REPAIRABLE = frozenset({"fact", "link", "deadline", "merge"})
"""What is derived from the log alone and so can be written anew."""

Progress = Callable[[int, int], None]
"""(events done, events in all)."""
Part = Literal["log", "fact", "link", "deadline", "outbox", "merge"]
"""What differs."""


class ReplayRefused(RuntimeError):
    """The log cannot be folded; says what is missing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something stored that the log does not say. Named by id only."""

    part: Part
    case_id: str
    """Empty when it belongs to no case."""
    link_id: str | None = None


@dataclass(slots=True)
class Report:
    """What a replay found."""

    events: int = 0
    cases: int = 0
    links: int = 0
    transitions: int = 0
    different: int = 0
    """How many differences there are."""
    differences: list[Difference] = field(default_factory=list)
    """The first of them."""
    repairable: set[str] = field(default_factory=set)
    """Ids of the cases in which something that can be written anew differs."""
    strays: bool = False
    """Facts or links are filed under numbers that no case has."""

    @property
    def identical(self) -> bool:
        """Whether everything stored is what the log says."""
        return self.different == 0

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.different += 1
        if difference.case_id and difference.part in REPAIRABLE:
            self.repairable.add(difference.case_id)
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(difference)

    def take_in(self, other: Report) -> None:
        """Add what another part of the same replay found."""
        self.events += other.events
        self.cases += other.cases
        self.links += other.links
        self.transitions += other.transitions
        self.different += other.different
        self.differences += other.differences[: MAX_DIFFERENCES - len(self.differences)]
        self.repairable |= other.repairable
        self.strays = self.strays or other.strays
