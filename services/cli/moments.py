"""Times as people type them: `2026-03-02 14:00`, `2026-03-02`, `now`, `yesterday`, `2 days ago`.

Read in this machine's time zone unless the text names another, as times are shown in it. What could be read in two
ways (03/04/2026) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from dateutil.parser import isoparser
from dateutil.relativedelta import relativedelta

from services.cli.refused import Refused

_AGO = re.compile(r"(\d{1,6}) ?(minute|min|hour|h|day|d|week|month|year)s? ago")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}
_iso = isoparser(sep=None)


def moment(typed: str, now: datetime, *, end_of_day: bool = False) -> datetime:
    """An instant, aware UTC; raises `Refused`. A day alone is its first instant, or its end with `end_of_day`.

    `now`: aware.
    """
    text = " ".join(typed.strip().lower().split())
    if text == "now":
        return now.astimezone(UTC)
    if ago := _AGO.fullmatch(text):
        unit = _UNITS.get(ago[2], f"{ago[2]}s")
        return _checked(lambda: (now - relativedelta(**{unit: int(ago[1])})).astimezone(UTC))  # type: ignore[arg-type]
    if text in ("today", "yesterday"):
        day = now.astimezone().date() - timedelta(days=int(text == "yesterday"))
        return _day(datetime.combine(day, time(0)), end_of_day=end_of_day)
    if not _DAY.match(text):
        raise _unread()
    read = _checked(lambda: _iso.isoparse(typed.strip()))
    return _day(read, end_of_day=end_of_day) if _DAY.fullmatch(text) else read.astimezone(UTC)


def past_moment(typed: str, now: datetime) -> datetime:
    """The same, no later than `now`: a day alone is its end, or `now` while it lasts. Raises `Refused` for the future,
    of which nothing is known."""
    if moment(typed, now) > now:
        raise Refused("that time has not come yet, and nothing is known as of then: say one that is past, or now")
    return min(moment(typed, now, end_of_day=True), now.astimezone(UTC))


def _day(midnight: datetime, *, end_of_day: bool) -> datetime:
    following = midnight + timedelta(days=1) if end_of_day else midnight
    at = following.astimezone(UTC)
    return at - timedelta(microseconds=1) if end_of_day else at


def _checked(read: Callable[[], datetime]) -> datetime:
    try:
        return read()
    except (ValueError, OverflowError):
        raise _unread() from None


def _unread() -> Refused:
    return Refused(
        "that is no time that is understood here: write 2026-03-02, 2026-03-02T14:00, now, yesterday or 2 days ago"
    )
