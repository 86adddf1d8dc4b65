"""Times as people type them; what could be read in two ways is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.cli.moments import moment, past_moment
from services.cli.refused import Refused

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "at"),
    [
        ("now", NOW),
        ("2 days ago", NOW - timedelta(days=2)),
        ("90 min ago", NOW - timedelta(minutes=90)),
        ("1 Month ago", datetime(2026, 2, 2, 12, tzinfo=UTC)),
        ("2026-03-02T14:00Z", datetime(2026, 3, 2, 14, tzinfo=UTC)),
        ("2026-03-02 14:00:30+01:00", datetime(2026, 3, 2, 13, 0, 30, tzinfo=UTC)),
    ],
)
def test_instants(typed: str, at: datetime) -> None:
    assert moment(typed, NOW) == at
    assert moment(typed, NOW, end_of_day=True) == at


@pytest.mark.parametrize("typed", ["2026-03-02", "yesterday", "today"])
def test_a_day_is_its_start_or_its_end(typed: str) -> None:
    start, end = moment(typed, NOW), moment(typed, NOW, end_of_day=True)
    assert start.astimezone().hour == 0
    assert timedelta(hours=22) < end - start < timedelta(hours=26)
    assert (end + timedelta(microseconds=1)).astimezone().hour == 0


def test_the_past_ends_now() -> None:
    today = NOW.astimezone().date()
    assert past_moment("now", NOW) == past_moment("today", NOW) == past_moment(str(today), NOW) == NOW
    assert past_moment("yesterday", NOW) == moment("yesterday", NOW, end_of_day=True)
    for typed in (str(today + timedelta(days=1)), "2026-03-02T12:01Z"):
        with pytest.raises(Refused, match="has not come yet"):
            past_moment(typed, NOW)


@pytest.mark.parametrize("typed", ["", "03/04/2026", "2026-03", "10", "next week", "999999 years ago", "2026-13-01"])
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="no time that is understood"):
        moment(typed, NOW)
