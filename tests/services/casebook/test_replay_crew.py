"""Processes of a replay: the same as here, in order, and an error of theirs reaches whoever asked."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from ccr_events.policy import load_policies
from services.casebook.replay import verify
from services.casebook.replay_crew import crew
from services.casebook.replay_report import ReplayRefused
from services.engine.sqlite.snapshot import Snapshot, open_snapshot
from tests.support.core_rules import BOOK, Book
from tests.support.small_log import fill


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("made"))


def cheap() -> Book:
    """Policies that load at once."""
    return BOOK


def events_and_part(stored: Snapshot, policies: object, part: int) -> tuple[int, int]:
    """Counted in a process."""
    if part < 0:
        raise ReplayRefused("no part has a number below zero")
    return stored.bound().events, part


def test_parts_come_back_in_order_and_errors_come_through(made: Path) -> None:
    with crew(partial(open_snapshot, made), cheap, 2) as hands:
        found = list(hands.each(events_and_part, range(20)))
        assert [result[1] for _, result in found] == list(range(20))
        assert len({result[0] for _, result in found}) == 1
        with pytest.raises(ReplayRefused, match="below zero"):
            list(hands.each(events_and_part, [1, -1, 2]))
        assert len(list(hands.each(events_and_part, [3]))) == 1


def test_processes_find_the_same_as_one(made: Path) -> None:
    alone = verify(made, load_policies())
    assert verify(made, load_policies, processes=2) == alone
    assert alone.identical
