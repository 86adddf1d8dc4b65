"""The wall clock, and what the timer needs of a clock besides its time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

LONGEST_NAP_S = 1.0
"""The wall clock is looked at again after this long at most: it may be set, or jump when a laptop wakes up."""


class AlarmClock(Protocol):
    """A clock one can wait on. A demonstration's clock runs at another speed and so waits in its own way."""

    def now(self) -> datetime:
        """Aware UTC datetime."""

    async def wait_until(self, at: datetime) -> None:
        """Return once `now()` is at or beyond `at`, by this clock. May be cancelled."""


class WallClock:
    """The machine's clock. Implements `Clock` of the ports and `AlarmClock`."""

    def now(self) -> datetime:
        """Aware UTC datetime."""
        return datetime.now(UTC)

    async def wait_until(self, at: datetime) -> None:
        """Return once the machine's clock is at or beyond `at`, also when it is set meanwhile."""
        while (left_s := (at - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  # no event tells that time passed
            await asyncio.sleep(min(left_s, LONGEST_NAP_S))
