"""An event loop without a machine under it: time stands still while anything can run, then jumps to the next timer.

Of what is ready, the seed picks what runs next. asyncio promises more order than that (first come, first run); code
that does not lean on it also survives what another loop, or the next release of asyncio, does.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.pool import SimulatedPool

MAX_STEPS = 250_000
"""Callbacks of one seed; a run that needs more goes round in circles."""


class Stuck(RuntimeError):
    """Nothing can run and no timer is set, or it goes on without end."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Implements what asyncio asks of an event loop, without files, sockets or signals."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random = random
        self._now = 0.0
        self._clock_resolution = 1e-9
        self._pool = SimulatedPool()
        self.steps = 0
        """Callbacks that have run."""
        self.step_taken: Callable[[], None] = lambda: None
        """Called before each callback; a crash may come there."""
        self.broken: list[dict[str, Any]] = []
        """What went wrong where nobody waited for it."""
        self.set_exception_handler(lambda _, context: self.broken.append(context))

    def time(self) -> float:
        """Simulated seconds since the run began."""
        return self._now

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
        """All threads are simulated, so any moment is safe."""
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:
        """Run in a simulated thread, at most as many at once as the pool has."""
        pool = self._pool if executor is None else executor
        assert isinstance(pool, SimulatedPool), "a pool of real threads: see `substitution`"
        return pool.begin(self, self.random, func, args)

    def _run_once(self) -> None:
        self._let_timers_in()
        if not self._ready and not self._stopping:
            raise Stuck("nothing can run and no timer is set: the run waits for something that will not come")
        for _ in range(len(self._ready)):
            if not self._ready or self._stopping:
                return
            handle = self._picked()
            if handle._cancelled:
                continue
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise Stuck(f"more than {MAX_STEPS:,} steps")
            self.step_taken()
            handle._run()

    def _let_timers_in(self) -> None:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not self._ready and scheduled:
            self._now = max(self._now, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._now:
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _picked(self) -> asyncio.Handle:
        ready = self._ready
        if len(ready) > 1:
            ready.rotate(-self.random.randrange(len(ready)))
        handle: asyncio.Handle = ready.popleft()
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is dropped when its time comes."""

    def _process_events(self, event_list: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody sleeps in a system call."""
