"""Which process of a worker command runs others, and which ends with its parent."""

from __future__ import annotations

import pytest

from services.cli import worker_fleet
from services.cli.worker_figures import own_port
from services.cli.worker_fleet import is_parent


@pytest.mark.parametrize(
    ("concurrency", "member", "parent", "ends_with_it"),
    [(1, None, False, 0), (2, None, True, 0), (2, 0, False, 1), (2, 1, False, 1)],
)
def test_one_of_several_ends_with_its_parent(
    monkeypatch: pytest.MonkeyPatch, concurrency: int, member: int | None, parent: bool, ends_with_it: int
) -> None:
    watched: list[None] = []
    monkeypatch.setattr(worker_fleet, "stop_with_parent", lambda: watched.append(None))
    assert is_parent(concurrency, member) is parent
    assert len(watched) == ends_with_it


def test_each_process_has_a_port_of_its_own() -> None:
    assert [own_port(8702, member) for member in (None, 0, 1)] == [8702, 8702, 8703]
    assert own_port(None, 1) is None
