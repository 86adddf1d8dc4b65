"""Whether a worker still is a member, as far as it can know by itself."""

from __future__ import annotations

import pytest

from services.engine.kafka.apps import membership
from services.engine.kafka.apps.membership import Membership


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its only element is the time."""
    now = [100.0]
    monkeypatch.setattr(membership, "boot_s", lambda: now[0])
    return now


def test_it_is_certain_for_as_long_as_the_group_waits_since_the_question_was_asked(clock: list[float]) -> None:
    one = Membership(10.0)
    clock[0] = 109.0
    assert one.certain
    clock[0] = 111.0
    assert not one.certain
    one.heard(108.0)
    assert one.certain
    clock[0] = 118.0
    assert not one.certain


def test_an_older_answer_that_comes_later_makes_nothing_less_certain(clock: list[float]) -> None:
    one = Membership(10.0)
    one.heard(105.0)
    one.heard(101.0)
    clock[0] = 114.0
    assert one.certain


def test_a_process_that_did_not_run_for_too_long_has_slept_until_it_ticks_again(clock: list[float]) -> None:
    one = Membership(10.0)
    clock[0] = 105.0
    assert not one.slept
    assert one.tick() == 5.0
    clock[0] = 116.0
    assert one.slept
    assert one.tick() == 11.0
    assert not one.slept


def test_the_clock_goes_on() -> None:
    assert membership.boot_s() <= membership.boot_s()
