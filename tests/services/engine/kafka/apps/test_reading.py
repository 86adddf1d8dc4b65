"""A partition of which nothing comes though there is something."""

from __future__ import annotations

import pytest
from faust.types import TP

from services.engine.kafka.apps import Stuck, reading, unacknowledged

ONE, OTHER = TP("ccr.events", 1), TP("ccr.events", 2)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its only element is the time."""
    now = [100.0]
    monkeypatch.setattr(reading, "monotonic", lambda: now[0])
    return now


def test_one_that_is_behind_and_does_not_move_is_noticed(clock: list[float]) -> None:
    stuck = Stuck()
    assert not stuck.noticed(ONE, 40, 45)
    clock[0] += reading.STUCK_S
    assert not stuck.noticed(ONE, 40, 45)
    clock[0] += 0.1
    assert stuck.noticed(ONE, 40, 45)


def test_one_that_was_never_read_of_is_noticed_too(clock: list[float]) -> None:
    stuck = Stuck()
    stuck.noticed(ONE, 0, 1)
    clock[0] += reading.STUCK_S + 0.1
    assert stuck.noticed(ONE, 0, 1)


def test_it_is_sent_back_once_and_then_given_the_same_time_again(clock: list[float]) -> None:
    stuck = Stuck()
    stuck.noticed(ONE, 40, 45)
    clock[0] += reading.STUCK_S + 0.1
    assert stuck.noticed(ONE, 40, 45)
    assert not stuck.noticed(ONE, 40, 45)
    clock[0] += reading.STUCK_S + 0.1
    assert stuck.noticed(ONE, 40, 45)


@pytest.mark.parametrize(("position", "end"), [(45, 45), (46, 45), (41, 45), (40, None)])
def test_one_that_moves_or_has_nothing_more_is_left_alone(clock: list[float], position: int, end: int | None) -> None:
    stuck = Stuck()
    stuck.noticed(ONE, 40, 45)
    clock[0] += reading.STUCK_S + 0.1
    assert not stuck.noticed(ONE, position, end)
    clock[0] += 0.1
    assert not stuck.noticed(ONE, position, 50)


def test_partitions_are_told_apart(clock: list[float]) -> None:
    stuck = Stuck()
    stuck.noticed(ONE, 40, 45)
    clock[0] += reading.STUCK_S + 0.1
    assert not stuck.noticed(OTHER, 40, 45)
    assert stuck.noticed(ONE, 40, 45)


async def test_what_an_agent_leaves_is_never_done() -> None:
    left = unacknowledged()
    assert left.cancelled()  # type: ignore[attr-defined]
