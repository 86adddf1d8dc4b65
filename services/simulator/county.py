"""Every setting of an invented county."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.simulator.conduct import PROFILES, Answering, Profile
from services.simulator.hours import Hours
from services.simulator.odds import Odds

DULUTH_POPULATION = 86_000
"""About [K]."""
CALLS_PER_1000_A_YEAR = 1_217 / 86
"""Domestic violence calls: 1,217 in twelve months in Duluth [F73]; Grand Forks County reports 15 per 1,000 [F1]."""


@dataclass(frozen=True, slots=True)
class County:
    """An invented county. Sources: see the field, `Odds`, `Hours` and `services.simulator.conduct`."""

    population: int = DULUTH_POPULATION
    start: datetime = datetime(2026, 1, 1, 6, tzinfo=UTC)
    """When the first day begins: midnight in local time."""
    days: float = 7
    """How long calls come in; histories that have begun go on to the end of `tail_days`. Endless when infinite."""
    tail_days: float = 0
    """How long after the last call the histories under way are followed."""
    calls_per_1000_a_year: float = CALLS_PER_1000_A_YEAR
    utc_offset_h: int = -6
    """Local time. A fixed offset: the bytes must not hang on a machine's time zone data. Summer time is left out."""
    hours: Hours = field(default_factory=Hours)
    odds: Odds = field(default_factory=Odds)
    profile: Profile = PROFILES["typical"]
    answering: Answering = field(default_factory=Answering)

    broken: float = 0.0
    """Share of reports before which a broken one is sent, that must end in quarantine [P]."""

    def __post_init__(self) -> None:
        """Raises `ValueError` for a county that cannot be."""
        if self.population < 1 or self.calls_per_1000_a_year <= 0:
            raise ValueError("a county needs people and calls: population and calls_per_1000_a_year must be above 0")
        if not self.days > 0 or not self.tail_days >= 0:
            raise ValueError("days must be above 0 and tail_days not below 0")
        if not 0 <= self.broken <= 1:
            raise ValueError("broken is a share, from 0 to 1")
        if self.start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        if not -12 <= self.utc_offset_h <= 14:
            raise ValueError("utc_offset_h must be from -12 to 14")

    @property
    def calls_a_year(self) -> float:
        """How many calls are expected."""
        return self.population / 1000 * self.calls_per_1000_a_year
