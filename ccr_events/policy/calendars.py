"""Local time: court days, holidays, shifts. Pure functions of an instant; daylight-saving changes are respected."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

SKIPPED = frozenset({"trigger_day", "saturdays", "sundays", "holidays", "court_closures"})
"""What a deadline may leave out of its count; see `LocalCalendar.counted`."""
MAX_DAYS_AHEAD = 4000
"""Bound on the walk through a calendar."""

_ONE_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6


@cache
def public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The public holidays of a year, days on which they are observed included (library `holidays`)."""
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=[year]))


def has_holidays(country: str, subdivision: str | None) -> bool:
    """Whether the holiday library knows the country, and the subdivision when one is named."""
    known = holidays.list_supported_countries()
    return country in known and (subdivision is None or subdivision in known[country])


@dataclass(frozen=True, slots=True)
class LocalCalendar:
    """The clock and the calendar of one jurisdiction."""

    zone: ZoneInfo
    country: str
    subdivision: str | None
    closures: frozenset[date]
    court_day_ends: time
    shifts: tuple[time, ...]

    def local_day(self, at: datetime) -> date:
        """The local date of an instant."""
        return at.astimezone(self.zone).date()

    def instant(self, day: date, at: time) -> datetime:
        """The instant of a local time of day; in a spring gap, as far after it as the gap is long."""
        return datetime.combine(day, at.replace(fold=0), self.zone).astimezone(UTC)

    def days_from(self, at: datetime, days: int) -> datetime:
        """The same local time of day, so many days of the calendar later (or earlier); its first occurrence of two."""
        if not days:
            return at
        local = at.astimezone(self.zone)
        return self.instant(local.date() + timedelta(days=days), local.time())

    def is_holiday(self, day: date) -> bool:
        """Whether the day is a public holiday; local closures are not."""
        return day in public_holidays(self.country, self.subdivision, day.year)

    def is_court_day(self, day: date) -> bool:
        """Whether the court is open: no weekend, public holiday or local closure."""
        return day.weekday() < _SATURDAY and day not in self.closures and not self.is_holiday(day)

    def court_days_after(self, day: date, number: int) -> datetime:
        """The end of the n-th court day after a local day, which itself does not count."""
        for ahead in range(1, MAX_DAYS_AHEAD):
            number -= self.is_court_day(day + timedelta(days=ahead))
            if number == 0:
                return self.instant(day + timedelta(days=ahead), self.court_day_ends)
        raise AssertionError("a calendar without court days")  # refused when the policy is loaded

    def end_of_court_day(self, day: date) -> datetime:
        """The instant at which the court day ends on that date."""
        return self.instant(day, self.court_day_ends)

    def shift_end(self, at: datetime) -> datetime:
        """The first change of shift after `at`."""
        day = self.local_day(at)
        changes = (self.instant(day + n * _ONE_DAY, start) for n in (0, 1, 2) for start in self.shifts)
        return min(change for change in changes if change > at)

    def counted(self, start: datetime, length: timedelta, leaving_out: Collection[str]) -> datetime:
        """The instant at which `length` has elapsed since `start`, whole local days left out of the count.

        With `trigger_day` the count begins when the local day of `start` has ended.
        """
        first = self.local_day(start)
        for day, begins, ends in self._days(start):
            if (day == first and "trigger_day" in leaving_out) or self._left_out(day, leaving_out):
                continue
            if length <= ends - begins:
                return begins + length
            length -= ends - begins
        raise AssertionError("a count without end")  # the loader bounds lengths far below MAX_DAYS_AHEAD

    def _days(self, start: datetime) -> Iterator[tuple[date, datetime, datetime]]:
        """Local days from `start` on, with the instants at which their count begins and ends."""
        day, begins = self.local_day(start), start.astimezone(UTC)
        for _ in range(MAX_DAYS_AHEAD):
            ends = self.instant(day + _ONE_DAY, time(0))
            yield day, begins, ends
            day, begins = day + _ONE_DAY, ends

    def _left_out(self, day: date, leaving_out: Collection[str]) -> bool:
        return (
            (day.weekday() == _SATURDAY and "saturdays" in leaving_out)
            or (day.weekday() == _SUNDAY and "sundays" in leaving_out)
            or ("holidays" in leaving_out and self.is_holiday(day))
            or ("court_closures" in leaving_out and day in self.closures)
        )
