"""Local times: the hour that comes twice is taken early, so that no deadline comes late, and told."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from services.adapters.csv.clock import NEVER, TWICE, NoTime, Wall, calendar_day

ZONE = ZoneInfo("America/Chicago")
ISO = ("%Y-%m-%d %H:%M",)


@pytest.mark.parametrize(
    ("text", "formats", "at"),
    [
        ("2026-07-01 12:00", (), "2026-07-01T17:00:00+00:00"),
        ("2026-07-01T12:00:00+02:00", (), "2026-07-01T10:00:00+00:00"),
        ("07/01/2026 1:05 PM", ("%m/%d/%Y %I:%M %p",), "2026-07-01T18:05:00+00:00"),
        ("07/01/2026", ("%m/%d/%Y %H:%M", "%m/%d/%Y"), "2026-07-01T05:00:00+00:00"),
        ("46204.5", ("excel",), "2026-07-01T17:00:00+00:00"),
    ],
)
def test_times_are_read_in_the_agency_s_zone(text: str, formats: tuple[str, ...], at: str) -> None:
    found, assumed = Wall(ZONE).instant(text, formats)
    assert (found.isoformat(), assumed) == (at, "")


@pytest.mark.parametrize(
    ("choice", "at"), [("earlier", "2026-11-01T06:30:00+00:00"), ("later", "2026-11-01T07:30:00+00:00")]
)
def test_the_hour_that_comes_twice(choice: Literal["earlier", "later"], at: str) -> None:
    found, assumed = Wall(ZONE, choice).instant("2026-11-01 01:30", ISO)
    assert (found.isoformat(), assumed) == (at, TWICE.format(choice))
    with pytest.raises(NoTime, match="comes twice"):
        Wall(ZONE, "refuse").instant("2026-11-01 01:30", ISO)


def test_the_hour_that_never_comes() -> None:
    found, assumed = Wall(ZONE).instant("2026-03-08 02:30", ISO)
    assert (found.isoformat(), assumed) == ("2026-03-08T07:30:00+00:00", NEVER)
    with pytest.raises(NoTime, match="leave out"):
        Wall(ZONE, "refuse").instant("2026-03-08 02:30", ISO)


@pytest.mark.parametrize(("text", "formats"), [("soon", ()), ("9999999", ("excel",)), ("2026-02-30 10:00", ISO)])
def test_what_is_no_time_is_refused_without_being_quoted(text: str, formats: tuple[str, ...]) -> None:
    with pytest.raises(NoTime) as caught:
        Wall(ZONE).instant(text, formats)
    assert text not in str(caught.value)
    with pytest.raises(NoTime):
        calendar_day(text, formats)
