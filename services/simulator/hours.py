"""When violence is reported: nights, weekends and holidays.

The weights are this simulator's own [P]: the domain sheet only states that the load of nights, weekends and holidays
is several times the average (section 6). Put the county's own dispatch figures in their place before drawing
conclusions from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.simulator.draws import DAY, HOUR, Draws

_DAY_HOURS = 24
_WEEK_DAYS = 7
_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday; Monday is 0."""
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
NIGHT_HOURS = frozenset({20, 21, 22, 23, 0, 1, 2, 3})


@dataclass(frozen=True, slots=True)
class Hours:
    """How many calls come when, beside the average of a week, in local time."""

    by_hour: tuple[float, ...] = (
        1.7, 1.5, 1.3, 0.9, 0.5, 0.4, 0.4, 0.5, 0.6, 0.7, 0.7, 0.8,
        0.8, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 1.9, 1.9,
    )  # fmt: skip
    """Weight of each hour of the day, midnight first [P]."""
    by_weekday: tuple[float, ...] = (0.85, 0.85, 0.85, 0.9, 1.1, 1.35, 1.3)
    """Weight of each day of the week, Monday first [P]."""
    holidays: tuple[tuple[int, int], ...] = ((1, 1), (7, 4), (12, 24), (12, 25), (12, 31))
    """(month, day) of the evenings that count more [P]."""
    holiday: float = 1.5
    """Weight of a holiday, times that of its weekday [P]."""

    def table(self) -> tuple[float, ...]:
        """Weight of each hour of the week, Monday 0:00 first, with a mean of 1; holidays left out."""
        raw = [day * hour for day in self.by_weekday for hour in self.by_hour]
        mean = sum(raw) / len(raw)
        return tuple(weight / mean for weight in raw)


class Arrivals:
    """The instants of calls: a Poisson process whose rate follows the hours. Instants are local seconds since 1970."""

    def __init__(self, hours: Hours, calls_a_year: float, start: int, draws: Draws) -> None:
        """`start`: local seconds since 1970 at which to begin."""
        self._weights = hours.table()
        self._holidays = frozenset(hours.holidays)
        self._holiday = hours.holiday
        self._per_s = calls_a_year / (365.25 * DAY)
        self._draws = draws
        self._at = float(start)
        self._day, self._factor = -1, 1.0

    def next(self) -> int:
        """The next instant, in whole seconds."""
        left = self._draws.waiting()
        while True:
            rate = self._per_s * self._weight()
            ends = (self._at // HOUR + 1) * HOUR
            share = (ends - self._at) * rate
            if share > left:
                self._at += left / rate
                return int(self._at)
            left -= share
            self._at = ends

    def _weight(self) -> float:
        hour = int(self._at // HOUR)
        day, of_day = divmod(hour, _DAY_HOURS)
        if day != self._day:
            self._day = day
            self._factor = self._holiday if civil_date(day)[1:] in self._holidays else 1.0
        return self._factor * self._weights[(day + _EPOCH_WEEKDAY) % _WEEK_DAYS * _DAY_HOURS + of_day]


def civil_date(day: int) -> tuple[int, int, int]:
    """Year, month and day of a day counted from 1 January 1970."""
    found = date.fromordinal(_EPOCH_ORDINAL + day)
    return found.year, found.month, found.day


def weekday(day: int) -> int:
    """Monday is 0."""
    return (day + _EPOCH_WEEKDAY) % _WEEK_DAYS
