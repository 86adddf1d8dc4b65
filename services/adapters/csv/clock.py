"""Local times of a table to instants, the hour that comes twice and the one that never comes included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

EXCEL = "excel"
"""Format: days since 1899-12-30, as spreadsheets keep times (the 1900 system)."""
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  # local until it is given its zone
_YEARS = range(1900, 2200)

TWICE = "is in the hour that comes twice when clocks go back: the {} one is taken"
NEVER = "is in the hour that clocks leave out when they go forward: the earlier reading is taken"


class NoTime(ValueError):
    """A text that is not the time it should be; says what is expected, never what it is."""


@dataclass(frozen=True, slots=True)
class Wall:
    """An agency's wall clock."""

    zone: ZoneInfo
    ambiguous: Literal["earlier", "later", "refuse"] = "earlier"

    def instant(self, text: str, formats: Sequence[str]) -> tuple[datetime, str]:
        """The aware UTC instant, and what had to be assumed to have it; raises `NoTime`."""
        at, assumed = self._placed(_read(text, formats))
        if at.year not in _YEARS:
            raise NoTime("is a time in a year that cannot be meant")
        return at, assumed

    def _placed(self, found: datetime) -> tuple[datetime, str]:
        if found.tzinfo is not None:
            return found.astimezone(UTC), ""
        first, second = (found.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset():
            return first.astimezone(UTC), ""
        either = sorted((first.astimezone(UTC), second.astimezone(UTC)))
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != found:
            if self.ambiguous == "refuse":
                raise NoTime("is in the hour that clocks leave out when they go forward")
            return either[0], NEVER
        if self.ambiguous == "refuse":
            raise NoTime("is in the hour that comes twice when clocks go back: export times with their offset")
        # Earlier unless the agency knows better: a deadline counted from it then comes early rather than late.
        return either[self.ambiguous == "later"], TWICE.format(self.ambiguous)


def calendar_day(text: str, formats: Sequence[str]) -> date:
    """A date; raises `NoTime`."""
    found = _read(text, formats).date()
    if found.year not in _YEARS:
        raise NoTime("is a date in a year that cannot be meant")
    return found


def _read(text: str, formats: Sequence[str]) -> datetime:
    for written in formats:
        try:
            return _excel(text) if written == EXCEL else datetime.strptime(text, written)  # noqa: DTZ007  # zone follows
        except (ValueError, OverflowError):
            continue
    if not formats:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    expected = " or ".join(formats) or "a time such as 2026-03-01 22:15; if it is written otherwise, give its `format`"
    raise NoTime(f"is not {expected}")


def _excel(text: str) -> datetime:
    days = float(text.replace(",", "."))
    return _EXCEL_EPOCH + timedelta(seconds=round(days * 86_400))
