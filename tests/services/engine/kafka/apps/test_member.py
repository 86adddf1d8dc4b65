"""A worker process keeps its name, and has its directory to itself."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from services.engine.kafka.apps import MemberBusy, member_of


def test_a_worker_is_known_by_the_same_name_again(tmp_path: Path) -> None:
    with member_of(tmp_path, "casebook", 0) as first:
        pass
    with member_of(tmp_path, "casebook", 0) as again:
        assert again == first
    with member_of(tmp_path, "casebook", 1) as other:
        assert other.instance != first.instance
        assert other.directory != first.directory


def test_no_two_workers_have_the_same_directory(tmp_path: Path) -> None:
    with (
        member_of(tmp_path, "casebook", 0),
        pytest.raises(MemberBusy, match="--data"),
        member_of(tmp_path, "casebook", 0),
    ):
        pass


def test_a_successor_waits_until_its_predecessor_ended(tmp_path: Path) -> None:
    order: list[str] = []

    def succeed() -> None:
        with member_of(tmp_path, "casebook", 0, wait=True):
            order.append("successor")

    with member_of(tmp_path, "casebook", 0):
        waiting = threading.Thread(target=succeed)
        waiting.start()
        waiting.join(0.05)
        order.append("predecessor")
    waiting.join()
    assert order == ["predecessor", "successor"]


def test_others_may_not_look_into_it(tmp_path: Path) -> None:
    with member_of(tmp_path, "casebook", 0) as own:
        assert own.directory.stat().st_mode & 0o077 == 0
