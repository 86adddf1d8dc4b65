"""Deadlines: pure, never before the trigger, right when the clock changes, right on holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from ccr_events.core.model import Fact
from ccr_events.policy.calendars import LocalCalendar, has_holidays, public_holidays
from ccr_events.policy.deadlines import Deadline, Setting, compile_deadline
from ccr_events.policy.problems import Report
from ccr_events.policy.vocabulary import Vocabulary
from ccr_events.policy.written_link import Due
from tests.support.policy_text import TYPES
from tests.support.told_events import local

CHICAGO = LocalCalendar(
    zone=ZoneInfo("America/Chicago"),
    country="US",
    subdivision="MN",
    closures=frozenset({date(2026, 11, 27)}),
    court_day_ends=time(16, 30),
    shifts=(time(7), time(15), time(23)),
)
LONDON = LocalCalendar(ZoneInfo("Europe/London"), "GB", "ENG", frozenset(), time(17), (time(1, 30), time(13)))
VOCABULARY = Vocabulary(TYPES)


def deadline(text: str, calendar: LocalCalendar = CHICAGO) -> Deadline:
    report = Report()
    due = Due.model_validate(YAML(typ="safe").load(text))
    found = compile_deadline(due, Setting(VOCABULARY, ("jail.booked",), calendar, frozenset()), report)
    assert found is not None, report.findings
    return found


def due(text: str, at: str | datetime, **data: Any) -> datetime:
    fields = {name: local(value).isoformat() for name, value in data.items()}
    found = deadline(text).due(trigger(local(at) if isinstance(at, str) else at, **fields))
    assert found is not None
    return found


def trigger(at: datetime, **data: Any) -> Fact:
    return Fact("1", "jail.booked", "jail", "case-1", at, at, "e1", data)


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("{within: 90 min}", "mon 21:00", "mon 22:30"),
        ("{within: 24 h}", "2026-03-07 12:00", "2026-03-08 13:00"),  # a day of 23 hours: 24 hours end later
        ("{within: 1 d}", "2026-03-07 12:00", "2026-03-08 12:00"),  # a day of the calendar
        ("{within: 24 h}", "2026-10-31 12:00", "2026-11-01 11:00"),  # a day of 25 hours
        ("{within: 1 d}", "2026-03-07 02:30", "2026-03-08 03:30"),  # 02:30 did not exist
        ("{immediate: true, act_within: 15 min}", "mon 21:00", "mon 21:15"),
        ("{shift_end: true}", "mon 14:59", "mon 15:00"),
        ("{shift_end: true}", "mon 15:00", "mon 23:00"),  # the shift that has just begun
        ("{shift_end: true}", "mon 23:30", "tue 07:00"),
        ("{business_days: 1}", "mon 00:01", "tue 16:30"),
        ("{business_days: 1}", "fri 20:00", "2026-02-09 16:30"),
        ("{business_days: 1}", "sat 09:00", "2026-02-09 16:30"),
        ("{business_days: 1}", "2026-02-13 20:00", "2026-02-17 16:30"),  # Presidents' Day
        ("{business_days: 1}", "2026-07-02 09:00", "2026-07-06 16:30"),  # the Fourth, observed on Friday
        ("{business_days: 1}", "2026-11-25 09:00", "2026-11-30 16:30"),  # Thanksgiving and a local closure
        ("{within: 36 h, not_counting: [trigger_day, sundays, holidays]}", "mon 22:40", "wed 12:00"),
        ("{within: 36 h, not_counting: [trigger_day, sundays, holidays]}", "fri 22:40", "2026-02-09 12:00"),
        ("{within: 36 h, not_counting: [trigger_day, sundays, holidays]}", "2026-02-13 23:00", "2026-02-17 12:00"),
        ("{within: 36 h, not_counting: [trigger_day]}", "2026-03-06 23:00", "2026-03-08 13:00"),
        ("{within: 24 h, not_counting: [saturdays, sundays]}", "sat 10:00", "2026-02-10 00:00"),
        ("{within: 10 h, not_counting: [court_closures]}", "2026-11-26 20:00", "2026-11-28 06:00"),
        ("{earliest: [{within: 24 h}, {shift_end: true}]}", "mon 21:00", "mon 23:00"),
    ],
)
def test_a_deadline(text: str, at: str, expected: str) -> None:
    assert due(text, at) == local(expected)


@pytest.mark.parametrize(
    ("text", "data", "expected"),
    [
        (
            "{before: hold_expires_at, lead: 6 h, otherwise: {within: 1 h}}",
            {"hold_expires_at": "wed 12:00"},
            "wed 06:00",
        ),
        ("{before: hold_expires_at, lead: 6 h, otherwise: {within: 1 h}}", {}, "mon 13:00"),
        ("{before: hold_expires_at, otherwise: {within: 1 h}}", {"hold_expires_at": "sun 12:00"}, "sun 12:00"),
        (
            "{before: hold_expires_at, lead: 5 d, otherwise: {within: 1 h}}",
            {"hold_expires_at": "tue 12:00"},
            "mon 12:00",
        ),
        (
            "{before: hold_expires_at, lead: 5 d, otherwise: {within: 1 h}}",
            {"hold_expires_at": "2026-03-10 09:00"},
            "2026-03-05 09:00",
        ),
        (
            "{on: hold_expires_at, lead: 14 d, otherwise: {within: 1 h}}",
            {"hold_expires_at": "2026-04-01 23:00"},
            "2026-03-18 16:30",
        ),
        ("{within: 48 h, from: arrested_at}", {"arrested_at": "mon 09:00"}, "wed 09:00"),
        ("{within: 48 h, from: arrested_at}", {}, "wed 12:00"),
        ("{earliest: [{before: hold_expires_at}, {within: 36 h}]}", {"hold_expires_at": "mon 20:00"}, "mon 20:00"),
        ("{earliest: [{before: hold_expires_at}, {within: 36 h}]}", {}, "wed 00:00"),
    ],
)
def test_a_deadline_by_a_field(text: str, data: dict[str, str], expected: str) -> None:
    assert due(text, "mon 12:00", **data) == local(expected)


TWELVE_YEARS_S = 12 * 365 * 86_400
INSTANTS = st.integers(0, TWELVE_YEARS_S).map(lambda s: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
CALENDARS = st.sampled_from([CHICAGO, LONDON])
FORMS = st.sampled_from(
    [
        "{within: 1 h}",
        "{within: 30 d}",
        "{within: 36 h, not_counting: [trigger_day, sundays, holidays]}",
        "{immediate: true, act_within: 10 min}",
        "{before: hold_expires_at, lead: 60 d, otherwise: {within: 1 h}}",
        "{on: hold_expires_at, lead: 14 d, otherwise: {business_days: 2}}",
        "{business_days: 15}",
        "{shift_end: true}",
        "{earliest: [{shift_end: true}, {before: hold_expires_at, lead: 5 d}]}",
    ]
)


@given(FORMS, INSTANTS, INSTANTS, CALENDARS)
@settings(max_examples=300, deadline=None)
def test_every_trigger_has_a_deadline_never_before_it_and_always_the_same(
    text: str, at: datetime, expires_at: datetime, calendar: LocalCalendar
) -> None:
    found = deadline(text, calendar)
    for fact in (trigger(at), trigger(at, hold_expires_at=expires_at.isoformat())):
        first, again = found.due(fact), found.due(fact)
        assert first is not None
        assert first >= at
        assert first == again
        assert first.utcoffset() == timedelta(0)


@given(INSTANTS, st.integers(1, 30), CALENDARS)
@settings(max_examples=200, deadline=None)
def test_court_days_end_on_open_days_and_leave_out_none(at: datetime, number: int, calendar: LocalCalendar) -> None:
    end = calendar.court_days_after(calendar.local_day(at), number)
    first, last = calendar.local_day(at), calendar.local_day(end)
    between = [first + timedelta(days=n) for n in range(1, (last - first).days + 1)]
    assert calendar.is_court_day(last)
    assert sum(map(calendar.is_court_day, between)) == number
    assert end.astimezone(calendar.zone).time() == calendar.court_day_ends


@given(INSTANTS, CALENDARS)
@settings(max_examples=200, deadline=None)
def test_a_shift_ends_at_a_change_of_shift_within_a_day(at: datetime, calendar: LocalCalendar) -> None:
    end = calendar.shift_end(at)
    assert at < end <= at + timedelta(hours=25)
    assert end.astimezone(calendar.zone).time() in (*calendar.shifts, time(2, 30))  # 01:30 London may not exist


@given(INSTANTS, st.integers(1, 200), st.sets(st.sampled_from(["trigger_day", "sundays", "holidays", "saturdays"])))
@settings(max_examples=200, deadline=None)
def test_leaving_days_out_of_a_count_only_ever_lengthens_it(at: datetime, hours: int, leaving_out: set[str]) -> None:
    length = timedelta(hours=hours)
    end = CHICAGO.counted(at, length, leaving_out)
    assert end >= at + length
    if not leaving_out:
        assert end == at + length


@given(INSTANTS, st.integers(1, 400), CALENDARS)
@settings(max_examples=200, deadline=None)
def test_days_keep_the_local_time_of_day(at: datetime, days: int, calendar: LocalCalendar) -> None:
    later = calendar.days_from(at, days)
    was, now = at.astimezone(calendar.zone), later.astimezone(calendar.zone)
    moved = now.replace(tzinfo=None) - was.replace(tzinfo=None, fold=0)
    assert moved in (timedelta(days=days), timedelta(days=days, hours=1))  # an hour more when it did not exist


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+12:00"])
@pytest.mark.parametrize("form", ["before: hold_expires_at, lead: 60 d", "on: hold_expires_at, lead: 60 d"])
def test_an_instant_at_the_end_of_time_overflows_nothing(never: str, form: str) -> None:
    at = local("mon 12:00")
    found = deadline(f"{{{form}, otherwise: {{within: 1 h}}}}").due(trigger(at, hold_expires_at=never))
    assert found is not None
    assert found == at if never.startswith("0001") else found > at + timedelta(days=300_000)
    assert found + timedelta(days=3650) > found


@pytest.mark.parametrize("never", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_clock_that_starts_at_the_end_of_time_overflows_nothing(never: str) -> None:
    text = "{within: 36 h, from: arrested_at, not_counting: [trigger_day, sundays, holidays]}"
    assert deadline(text).due(trigger(local("mon 12:00"), arrested_at=never)) is not None


def test_deadlines_say_themselves_in_words() -> None:
    words = deadline("{before: hold_expires_at, lead: 6 h, otherwise: {business_days: 2}}").words
    assert words == "6 hours before hold_expires_at, or by the end of the 2nd court day when that is not known"


def test_a_countys_own_holidays_come_from_the_library() -> None:
    assert has_holidays("US", "MN")
    assert not has_holidays("US", "ZZ")
    assert not has_holidays("XX", None)
    assert date(2026, 6, 19) in public_holidays("US", "MN", 2026)
