"""Tells the timer when a deadline was committed that comes before the one it waits for.

Under load links change all the time, and hardly ever is the next deadline among them: whoever waits is woken only
when it is. Implements `services.timer.timer.Deadlines`.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from services.engine.transaction import EngineClosed


@dataclass(frozen=True, slots=True)
class _Waiting:
    loop: asyncio.AbstractEventLoop
    turn: asyncio.Future[None]
    before: datetime | None


class DeadlineWatch:
    """Told by the writer's thread, waited on by one timer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._earliest: datetime | None = None
        self._waiting: _Waiting | None = None
        self._closed = False

    def begin(self) -> None:
        """Forget what was committed before; then read which deadline is next, and wait with `sooner_than`."""
        with self._lock:
            self._earliest = None

    async def sooner_than(self, at: datetime | None) -> None:
        """Return once a deadline before `at` (None: any) was committed since `begin`; raises `EngineClosed`."""
        while True:
            with self._lock:
                if self._closed:
                    raise EngineClosed("the engine was closed; no deadline fires until the restart")
                if _is_sooner(self._earliest, at):
                    return
                loop = asyncio.get_running_loop()
                self._waiting = waiting = _Waiting(loop, loop.create_future(), at)
            try:
                await waiting.turn
            finally:
                with self._lock:
                    if self._waiting is waiting:
                        self._waiting = None

    def committed(self, earliest: datetime) -> None:
        """The writer committed links, the earliest of whose deadlines is at `earliest`; called in its thread."""
        with self._lock:
            if _is_sooner(earliest, self._earliest):
                self._earliest = earliest
            if self._waiting is not None and _is_sooner(earliest, self._waiting.before):
                self._wake()

    def close(self) -> None:
        """Nothing more will come: who waits hears `EngineClosed`."""
        with self._lock:
            self._closed = True
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            # A loop closed meanwhile has nobody who waits; the writer's thread must outlive it.
            with suppress(RuntimeError):
                waiting.loop.call_soon_threadsafe(_take_turn, waiting.turn)


def _is_sooner(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one < other)


def _take_turn(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
