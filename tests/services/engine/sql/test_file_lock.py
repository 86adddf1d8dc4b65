"""On SQLite too a worker that waits has the next turn, however busy the one before it is."""

from __future__ import annotations

import fcntl
import threading
from pathlib import Path
from time import monotonic

import pytest

from services.engine.sql import turn as turns
from services.engine.sql.turn import FileLock
from services.engine.transaction import StorageFailed

PATIENCE_S = 30.0


def locked(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_who_waits_comes_before_who_wants_another_turn(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite-turn"
    busy, other, order = FileLock(str(path)), FileLock(str(path)), list[str]()

    def wait() -> None:
        other.take()
        order.append("other")
        other.give_back()

    busy.take()
    waiting = threading.Thread(target=wait)
    waiting.start()
    until_s = monotonic() + PATIENCE_S
    while not locked(tmp_path / "store.sqlite-turn-gate"):
        assert monotonic() < until_s
    busy.give_back()
    busy.take()
    order.append("busy")
    busy.give_back()
    waiting.join(PATIENCE_S)
    assert order == ["other", "busy"]


def test_a_wait_that_was_given_up_leaves_the_gate_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "store.sqlite-turn")
    holding, waiting = FileLock(path), FileLock(path)
    holding.take()
    monkeypatch.setattr(turns, "LOCK_TIMEOUT_S", 0.01)
    with pytest.raises(StorageFailed, match="did not give up its turn"):
        waiting.take()
    holding.give_back()
    waiting.take()
    waiting.give_back()
