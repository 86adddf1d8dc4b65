"""Whether the backbone can do its work, part by part, with the reason where it cannot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from services.engine.ports import Clock, Counts
from services.engine.transaction import EngineClosed, StorageFailed

MAX_TIMER_LAG_S = 30.0
"""A deadline this long past and not fired: the timer is stuck, and silence would no longer escalate."""
MIN_FREE_BYTES = 64 * 1024 * 1024
"""Less free disk than this: the next events could be refused at any moment."""


class TimerState(Protocol):
    """What is asked of the timer."""

    @property
    def well(self) -> bool:
        """Every deadline that has passed was fired."""


class TimerWatch(Protocol):
    """The timer, as health sees it."""

    @property
    def health(self) -> TimerState:
        """How it is doing now."""


class Running(Protocol):
    """The task the timer runs in."""

    def done(self) -> bool:
        """Whether it has ended."""


class Health:
    """Readiness of one embedded backbone."""

    def __init__(self, directory: Path, counts: Counts, timer: TimerWatch, running: Running, clock: Clock) -> None:
        self._directory = directory
        self._counts = counts
        self._timer = timer
        self._running = running
        self._clock = clock

    async def reasons(self) -> Mapping[str, str | None]:
        """Part → why it is not ready; None where it is."""
        store, lag_s = await self._store()
        return {"store": store, "disk": self._disk(), "timer": self._deadlines(lag_s)}

    async def _store(self) -> tuple[str | None, float]:
        try:
            figures = await self._counts.figures()
        except (StorageFailed, EngineClosed) as error:
            return str(error), 0.0
        if figures.next_deadline_at is None:
            return None, 0.0
        return None, (self._clock.now() - figures.next_deadline_at).total_seconds()

    def _disk(self) -> str | None:
        if not os.access(self._directory, os.W_OK):
            return "the data directory cannot be written: check its owner, its mode and whether the disk is read-only"
        disk = os.statvfs(self._directory)
        if disk.f_bavail * disk.f_frsize < MIN_FREE_BYTES:
            return f"less than {MIN_FREE_BYTES // 1024**2} MiB of disk are free: make room before events are refused"
        return None

    def _deadlines(self, lag_s: float) -> str | None:
        if self._running.done():
            return "the timer has stopped: overdue links are not noticed; restart the service"
        if not self._timer.health.well:
            return "deadlines have passed that could not be fired; the service's log says why"
        if lag_s > MAX_TIMER_LAG_S:
            return f"the oldest deadline passed {lag_s:.0f} s ago and was not fired: the machine is too slow, or stuck"
        return None
