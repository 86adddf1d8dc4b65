"""The clock of a simulation: it stands still until it is moved, and can be rung without moving it."""

from __future__ import annotations

import asyncio
from datetime import datetime


class SimulatedClock:
    """Implements `services.engine.clock.AlarmClock`. Moved, rung and waited on in one event loop."""

    def __init__(self, start: datetime) -> None:
        """`start`: aware UTC."""
        self._now = start
        self._moved = asyncio.Event()
        self._rings = 0

    def now(self) -> datetime:
        """Aware UTC datetime."""
        return self._now

    async def wait_until(self, at: datetime) -> None:
        """Return once the clock was moved to `at` or beyond, or was rung: who waits then looks again what is due."""
        rings = self._rings
        while self._now < at and self._rings == rings:
            await self._moved.wait()

    def move_to(self, at: datetime) -> None:
        """Time passes; an instant already passed changes nothing."""
        if at > self._now:
            self._now = at
            self._wake()

    def ring(self) -> None:
        """Wake everybody who waits. A deadline drawn back into the past by a late report moves no clock."""
        self._rings += 1
        self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
