"""The script's clock: it stands still until the player moves it, and never goes back."""

from __future__ import annotations

import asyncio
from datetime import datetime


class ScriptClock:
    """Implements `Clock` of the ports and `services.engine.clock.AlarmClock`. Moved and waited on in one event loop."""

    def __init__(self, start: datetime) -> None:
        """`start`: aware UTC."""
        self._now = start
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        """Aware UTC datetime."""
        return self._now

    async def wait_until(self, at: datetime) -> None:
        """Return once the clock was moved to `at` or beyond."""
        while self._now < at:
            await self._moved.wait()

    def move_to(self, at: datetime) -> None:
        """Time passes; an instant already passed changes nothing."""
        if at > self._now:
            self._now = at
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()
