"""Times of the script: moments, days and spans."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.demo.pace import Pace
from services.demo.times import dated, day, moment, span

MONDAY = date(2026, 2, 2)
CHICAGO = ZoneInfo("America/Chicago")


def test_moment_is_local_and_becomes_utc() -> None:
    assert moment("mon 21:14", MONDAY, CHICAGO) == datetime(2026, 2, 3, 3, 14, tzinfo=UTC)
    assert moment("+9 thu 17:00", MONDAY, CHICAGO) == datetime(2026, 4, 9, 22, 0, tzinfo=UTC)  # summer time by then


def test_day_counts_weeks_from_the_monday() -> None:
    assert day("-6 tue", MONDAY) == date(2025, 12, 23)


def test_span_has_a_unit() -> None:
    assert span("40 min") == timedelta(minutes=40)
    assert span("2 d") == timedelta(days=2)


@pytest.mark.parametrize("text", ["21:14", "monday 21:14", "mon", "mon 9:00"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        moment(text, MONDAY, CHICAGO)


def test_moments_in_a_payload_are_dated_at_any_depth_and_other_text_is_left() -> None:
    written = {"at": "mon 21:14", "list": [{"on": "tue"}], "reason": "not_home", "n": 3}
    assert dated(written, MONDAY, CHICAGO) == {
        "at": "2026-02-03T03:14:00Z",
        "list": [{"on": "2026-02-03"}],
        "reason": "not_home",
        "n": 3,
    }


def test_pace_gives_every_act_the_same_share_and_can_be_undone() -> None:
    start = datetime(2026, 2, 2, tzinfo=UTC)
    instants = [start, start + timedelta(days=3), start + timedelta(days=3, minutes=1)]
    pace = Pace(instants, seconds=10)
    assert [pace.played_s(at) for at in instants] == [0, 5, 10]
    assert pace.at(2.5) == start + timedelta(days=1.5)
    assert pace.at(pace.played_s(start + timedelta(hours=7))) == start + timedelta(hours=7)
