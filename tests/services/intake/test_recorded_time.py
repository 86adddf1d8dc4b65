"""Times stamped on events only go forward."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.recorded_time import RecordedTime
from tests.support.doors import T0, SetClock


@given(st.lists(st.integers(-1_000_000, 1_000_000), min_size=1, max_size=20))
def test_times_increase_whatever_the_clock_does(steps: list[int]) -> None:
    clock = SetClock()
    times = RecordedTime(clock, after=T0)
    last = T0
    for step in steps:
        clock.at += timedelta(microseconds=step)
        given_out = times.next()
        assert given_out > last
        assert given_out >= clock.at
        last = given_out


def test_clock_in_good_order_is_taken_as_it_is() -> None:
    clock = SetClock()
    times = RecordedTime(clock)
    assert times.next() == T0
    clock.at += timedelta(seconds=1)
    assert times.next() == clock.at


def test_times_are_later_than_what_others_recorded_meanwhile() -> None:
    clock = SetClock()
    one, other = RecordedTime(clock), RecordedTime(clock)
    first = one.next()
    second = other.next(first)
    assert first < second < one.next(second)
    assert one.next(T0 - timedelta(hours=1)) > second  # older than what this one gave out itself


def test_nothing_is_recorded_before_what_the_backbone_itself_appended() -> None:
    clock = SetClock()
    times = RecordedTime(clock)
    assert times.no_earlier() == T0
    clock.at -= timedelta(hours=1)  # set back
    assert times.no_earlier() == T0
    assert times.next() > T0


def test_it_is_seen_that_the_clock_of_another_machine_is_ahead() -> None:
    behind, ahead = SetClock(), SetClock()
    ahead.at += timedelta(minutes=10)
    ours = RecordedTime(behind)
    assert ours.ahead_s() == 0
    others = RecordedTime(ahead).next()
    assert ours.next(others) == others + timedelta(microseconds=1)  # ours go on in the time of the other
    assert ours.ahead_s() == 600.000001
    behind.at += timedelta(minutes=11)
    assert ours.ahead_s() == 0
