"""What an indicator is: a question, its unit, what is counted of what, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from services.monitor.indicators.case import Case

DOMAIN_SHEET = "domain sheet 5.1"
"""The project's list of indicators, with its own sources."""


class Unit(StrEnum):
    """What a value is in."""

    COUNT = "count"
    PERCENT = "percent"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    PER_100_CASES = "per 100 cases"

    @property
    def length(self) -> timedelta | None:
        """Of lengths of time: how long one is."""
        return _LENGTHS.get(self)


_LENGTHS = {Unit.MINUTES: timedelta(minutes=1), Unit.HOURS: timedelta(hours=1), Unit.DAYS: timedelta(days=1)}

Observed = bool | int | timedelta
"""COUNT: how many; PERCENT: whether; lengths of time: how long; PER_100_CASES: how many in this case."""
Measure = Callable[[Case], Iterator[tuple[str, Observed]]]
"""One case → (agency, or empty for all of them, what was observed)."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator and how it is measured in one case."""

    key: str
    """A short name, such as `arrest_rate`."""
    chapter: str
    title: str
    unit: Unit
    counts: str
    """What is counted, or which time is taken."""
    of: str
    """Of what: the denominator; for a length of time, what has to have happened for it to be taken."""
    measure: Measure
    by_agency: bool = False
    """One value for each agency that owes."""
    source: str = DOMAIN_SHEET
