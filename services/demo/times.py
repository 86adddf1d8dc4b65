"""Times of the script: `mon 21:14` in a week, and spans such as `3 h` or `2 d`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOMENT = re.compile(r"^(?:([+-]\d{1,3}) )?(mon|tue|wed|thu|fri|sat|sun) (\d{2}):(\d{2})$")
_SPAN = re.compile(r"^(\d{1,4}) (min|h|d)$")
_UNIT = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def moment(text: str, monday: datetime, zone: ZoneInfo) -> datetime:
    """`[±weeks ]day HH:MM`, local, as an aware datetime in the week that begins on `monday`."""
    found = _MOMENT.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no moment; write for example 'mon 21:14' or '+1 tue 09:00'")
    weeks, day, hour, minute = found.groups()
    date = monday.date() + timedelta(days=_DAYS.index(day) + 7 * int(weeks or 0))
    return datetime(date.year, date.month, date.day, int(hour), int(minute), tzinfo=zone)


def span(text: object) -> timedelta:
    """`20 min`, `3 h` or `2 d`."""
    found = _SPAN.match(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no span; write for example '20 min', '3 h' or '2 d'")
    return int(found.group(1)) * _UNIT[found.group(2)]
