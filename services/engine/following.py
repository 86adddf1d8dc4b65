"""Link transitions as they are committed. Implements `services.engine.ports.AlertSource`.

The newest transitions stay in memory, so that a hundred listeners cost one commit no query at all; who is further
behind reads pages from the outbox. How those are read is the engine's.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice

from services.engine.ports import Alertable
from services.engine.transaction import EngineClosed

Page = Callable[[int, int], Awaitable[list[Alertable]]]
"""(after, limit) → the next transitions as they are stored, oldest first."""
Last = Callable[[], Awaitable[int]]
"""The newest outbox position as it is stored."""

PAGE = 500
"""Transitions handed out at once, at most."""
RECENT = 4_000
"""Newest transitions kept in memory."""


class Following:
    """Told of every commit in order by one thread at a time, followed from event loops."""

    def __init__(self, page: Page, last: Last, newest: int) -> None:
        """`newest`: the newest outbox position now."""
        self._page = page
        self._last = last
        self._lock = threading.Lock()
        self._recent: deque[Alertable] = deque(maxlen=RECENT)
        self._newest = newest
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}
        self._closed = False

    def committed(self, told: list[Alertable]) -> None:
        """These were committed, the next in order; called in any thread."""
        with self._lock:
            self._recent.extend(told)
            self._newest = told[-1].seq
        self._wake()

    async def follow(self, after: int) -> AsyncIterator[Sequence[Alertable]]:
        """Pages of at most 500, oldest first, from `after` (exclusive) on; then waits for new ones.

        Ends with `EngineClosed` when the engine closes.
        """
        while True:
            await self.past(after)
            page = self._remembered(after)
            if page is None:
                page = await self._page(after, PAGE)
            if page:
                after = page[-1].seq
                yield page

    async def past(self, seq: int) -> int:
        """Wait until the newest outbox position is beyond `seq`; returns it."""
        while True:
            with self._lock:
                if self._closed:
                    raise EngineClosed("the engine was closed; follow again after the restart")
                if self._newest > seq:
                    return self._newest
                loop = asyncio.get_running_loop()
                turn: asyncio.Future[None] = loop.create_future()
                self._waiting[turn] = loop
            try:
                await turn
            finally:
                with self._lock:
                    self._waiting.pop(turn, None)

    async def last_seq(self) -> int:
        """Newest outbox position; 0 when empty."""
        return await self._last()

    def close(self) -> None:
        """Nothing more will come: those who wait hear `EngineClosed`."""
        with self._lock:
            self._closed = True
        self._wake()

    def _remembered(self, after: int) -> list[Alertable] | None:
        """The next page from memory; None when it begins before what is kept."""
        with self._lock:
            if not self._recent or after < self._recent[0].seq - 1:
                return None
            start = after - self._recent[0].seq + 1
            return list(islice(self._recent, start, start + PAGE))

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for turn, loop in waiting.items():
            by_loop.setdefault(loop, []).append(turn)
        for loop, turns in by_loop.items():
            # A loop closed meanwhile has nobody who waits; the writer's thread must outlive it.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_take_turns, turns)


def _take_turns(turns: list[asyncio.Future[None]]) -> None:
    for turn in turns:
        if not turn.done():
            turn.set_result(None)
