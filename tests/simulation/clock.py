"""The wall clock of the machine under test: the loop's time, and a fault of its own that jumps."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 2, 6, 0, tzinfo=UTC)
"""True time when a run begins: the Monday of the scripted week, midnight in its county."""


class SimulatedClock:
    """Implements `services.engine.clock.AlarmClock`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wrong_s = 0.0
        self._jumped = asyncio.Event()

    def now(self) -> datetime:
        """What the machine takes for the time."""
        return self.true_now() + timedelta(seconds=self._wrong_s)

    def true_now(self) -> datetime:
        """What the rest of the county takes for the time."""
        return START + timedelta(seconds=self._loop.time())

    async def wait_until(self, at: datetime) -> None:
        """Return once the machine's clock is at or beyond `at`, also when it jumps meanwhile."""
        while (left_s := (at - self.now()).total_seconds()) > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._jumped.wait()
            except TimeoutError:
                continue

    def jump(self, by_s: float) -> None:
        """The clock is set forward, or back (negative)."""
        self._set(self._wrong_s + by_s)

    def put_right(self) -> None:
        """The clock is set to the true time."""
        self._set(0.0)

    def _set(self, wrong_s: float) -> None:
        self._wrong_s = wrong_s
        jumped, self._jumped = self._jumped, asyncio.Event()
        jumped.set()
