"""Times of the script: `mon 21:14` in a week, and spans such as `3 h` or `2 d`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = re.compile(r"^(?:([+-]\d{1,3}) )?(mon|tue|wed|thu|fri|sat|sun)$")
_MOMENT = re.compile(r"^(.+) (\d{2}):(\d{2})$")
_SPAN = re.compile(r"^(\d{1,4}) (min|h|d)$")
_UNIT = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def day(text: str, monday: date) -> date:
    """`[±weeks ]day` as a date, counted from the week that begins on `monday`."""
    found = _DAY.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no day; write for example 'mon' or '+1 tue'")
    weeks, name = found.groups()
    return monday + timedelta(days=_DAYS.index(name) + 7 * int(weeks or 0))


def moment(text: str, monday: date, zone: ZoneInfo) -> datetime:
    """`[±weeks ]day HH:MM`, local, as an aware UTC datetime."""
    found = _MOMENT.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no moment; write for example 'mon 21:14' or '+1 tue 09:00'")
    name, hour, minute = found.groups()
    on = day(name, monday)
    return datetime(on.year, on.month, on.day, int(hour), int(minute), tzinfo=zone).astimezone(UTC)


def span(text: object) -> timedelta:
    """`20 min`, `3 h` or `2 d`."""
    found = _SPAN.match(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no span; write for example '20 min', '3 h' or '2 d'")
    return int(found.group(1)) * _UNIT[found.group(2)]


def dated(value: Any, monday: date, zone: ZoneInfo) -> Any:
    """A payload with every moment and every day written in it, at any depth, made into RFC 3339 text."""
    if isinstance(value, dict):
        return {name: dated(inner, monday, zone) for name, inner in value.items()}
    if isinstance(value, list):
        return [dated(inner, monday, zone) for inner in value]
    if not isinstance(value, str):
        return value
    if _DAY.match(value):
        return day(value, monday).isoformat()
    if (found := _MOMENT.match(value)) and _DAY.match(found.group(1)):
        return moment(value, monday, zone).isoformat().replace("+00:00", "Z")
    return value
