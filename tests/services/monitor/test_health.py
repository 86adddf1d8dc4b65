"""Readiness says which part is not well, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.engine.ports import Figures
from services.engine.transaction import StorageFailed
from services.monitor import health
from services.monitor.health import Health
from services.timer.timer import TimerHealth

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class _Parts:
    """A clock, counts, a timer and its task in one, for a test to set."""

    next_at: datetime | None = None
    failure: str | None = None
    ended: bool = False
    health: TimerHealth = TimerHealth()  # noqa: RUF009  # frozen

    def now(self) -> datetime:
        return NOW

    def done(self) -> bool:
        return self.ended

    async def figures(self) -> Figures:
        if self.failure is not None:
            raise StorageFailed(self.failure)
        return Figures(1, 1, 1, self.next_at, 0, ())


async def _unready(parts: _Parts, directory: Path) -> dict[str, str]:
    reasons = await Health(directory, parts, parts, parts, parts).reasons()
    assert set(reasons) == {"store", "disk", "timer"}
    return {part: reason for part, reason in reasons.items() if reason is not None}


async def test_all_is_well(tmp_path: Path) -> None:
    assert await _unready(_Parts(next_at=NOW - timedelta(seconds=1)), tmp_path) == {}


async def test_a_store_that_fails_is_named_with_its_own_reason(tmp_path: Path) -> None:
    assert await _unready(_Parts(failure="the disk is full"), tmp_path) == {"store": "the disk is full"}


async def test_a_timer_that_ended_lags_or_cannot_fire_is_not_ready(tmp_path: Path) -> None:
    assert "restart" in (await _unready(_Parts(ended=True), tmp_path))["timer"]
    assert "120 s" in (await _unready(_Parts(next_at=NOW - timedelta(minutes=2)), tmp_path))["timer"]
    stuck = _Parts(health=TimerHealth(aside={"link": "why"}))
    assert "could not be fired" in (await _unready(stuck, tmp_path))["timer"]


async def test_a_directory_that_is_gone_or_full_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be written" in (await _unready(_Parts(), tmp_path / "gone"))["disk"]
    monkeypatch.setattr(health, "MIN_FREE_BYTES", 1 << 80)
    assert "make room" in (await _unready(_Parts(), tmp_path))["disk"]
