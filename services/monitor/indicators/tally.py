"""What was observed, summed up: in one pass, in bounded memory, and in parts that can be put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.monitor.indicators.case import Case
from services.monitor.indicators.definition import Indicator
from services.monitor.indicators.spread import Spread

Place = tuple[str, str]
"""(indicator, agency or empty)."""


@dataclass(slots=True)
class Share:
    """So many of so many. For a plain count, `of` is the count too; per 100 cases, `of` are the cases."""

    count: int = 0
    of: int = 0


@dataclass(slots=True)
class Tally:
    """Sums by indicator and agency: at most as many as there are indicators times agencies."""

    shares: dict[Place, Share] = field(default_factory=dict)
    spreads: dict[Place, Spread] = field(default_factory=dict)
    cases: int = 0
    facts: int = 0
    """Facts recorded by the time asked about."""

    def take(self, case: Case, indicators: Sequence[Indicator]) -> None:
        """Add one case."""
        self.cases += 1
        for indicator in indicators:
            for agency, observed in indicator.measure(case):
                place = (indicator.key, agency)
                if isinstance(observed, timedelta):
                    self.spreads.setdefault(place, Spread()).add(observed)
                else:
                    share = self.shares.setdefault(place, Share())
                    share.count += int(observed)
                    share.of += 1

    def merge(self, other: Tally) -> None:
        """Add another part."""
        self.cases += other.cases
        self.facts += other.facts
        for place, share in other.shares.items():
            own = self.shares.setdefault(place, Share())
            own.count += share.count
            own.of += share.of
        for place, spread in other.spreads.items():
            self.spreads.setdefault(place, Spread()).merge(spread)
