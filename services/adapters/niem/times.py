"""Times of documents to aware instants.

Exchange documents often leave the offset out, and some give a date only. A time without an offset is taken in the
county's own zone; a date without a time is taken as its first instant, so that a deadline counted from it comes
early rather than late. Either is told as a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

DEFAULT_ZONE = ZoneInfo("America/Chicago")
"""Zone of New Orleans, whose documents are the JTMP family, and of the demonstration county."""

_YEARS = range(1900, 2200)
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:Z|[+-]\d{2}:\d{2})?")


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and what had to be assumed to have it."""

    at: datetime
    """Aware UTC."""
    assumed: str = ""
    """What the document left open, in words; empty when nothing."""


def moment(text: str, zone: ZoneInfo) -> Moment | None:
    """The instant a text tells, or None when it tells none. Takes `xs:dateTime`, `xs:date` and `8/1/2024`."""
    day = calendar_date(text)
    try:
        if day is not None:
            start = datetime(day.year, day.month, day.day, tzinfo=zone)
            return _bounded(start, f"has no time of day: its first instant in {zone.key} is taken")
        found = datetime.fromisoformat(_FRACTION.sub(r".\1", text.upper()))
        if found.tzinfo is None:
            return _bounded(found.replace(tzinfo=zone), f"has no offset from UTC: {zone.key} is taken")
        return _bounded(found, "")
    except (ValueError, OverflowError):
        return None


def calendar_date(text: str) -> date | None:
    """The date a text tells when it tells a date and no time; None otherwise."""
    match = _DATE.fullmatch(text)
    parts = match.groups() if match else None
    if parts is None and (match := _US_DATE.fullmatch(text)):
        month, day, year = match.groups()
        parts = (year, month, day)
    if parts is None:
        return None
    try:
        found = date(*(int(part) for part in parts))
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def _bounded(at: datetime, assumed: str) -> Moment | None:
    at = at.astimezone(UTC)
    return Moment(at, assumed) if at.year in _YEARS else None
