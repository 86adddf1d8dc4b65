"""How lengths of time are spread, in bounded memory: exact quantiles until there are many different lengths.

Lengths are kept by whole seconds and counted. Beyond `MAX_LENGTHS` different ones the grid is made coarser, two to one,
so a quantile is then off by at most half a step of the grid. The arrests of a county in ten years are exact.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

MAX_LENGTHS = 20_000
"""Different lengths kept."""


@dataclass(slots=True)
class Spread:
    """Lengths of time, counted."""

    step_s: int = 1
    """Seconds of one step of the grid."""
    counts: Counter[int] = field(default_factory=Counter)
    """Steps → how many."""

    @property
    def n(self) -> int:
        """How many lengths there are."""
        return self.counts.total()

    def add(self, length: timedelta) -> None:
        """Take in one length."""
        self.counts[round(length.total_seconds() / self.step_s)] += 1
        self._coarsen()

    def merge(self, other: Spread) -> None:
        """Take in another's."""
        step_s = max(self.step_s, other.step_s)
        self._regrid(step_s)
        for steps, count in other.counts.items():
            self.counts[steps * other.step_s // step_s] += count
        self._coarsen()

    def quantile(self, share: float) -> timedelta | None:
        """The shortest length that at least this share (0 to 1) does not exceed; None when there is none."""
        wanted, seen = share * self.n, 0
        for steps, count in sorted(self.counts.items()):
            seen += count
            if seen >= wanted:
                return timedelta(seconds=steps * self.step_s)
        return None

    def _coarsen(self) -> None:
        while len(self.counts) > MAX_LENGTHS:
            self._regrid(self.step_s * 2)

    def _regrid(self, step_s: int) -> None:
        if step_s == self.step_s:
            return
        moved: Counter[int] = Counter()
        for steps, count in self.counts.items():
            moved[steps * self.step_s // step_s] += count
        self.step_s, self.counts = step_s, moved
