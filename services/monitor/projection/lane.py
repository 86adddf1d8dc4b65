"""The way of one topic's batches into the store: in order, in a thread of its own, again until the store takes them.

Nothing waits for more to come. What comes while a transaction is under way goes together in the next one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from services.engine.kafka.batches import RecordBatch
from services.monitor.projection.patience import Patience
from services.monitor.projection.pieces import Piece, pieces
from services.monitor.projection.records import Unreadable

AT_ONCE = 500
"""Records of one transaction at most: some 20 ms, for which no other can begin on SQLite."""
T = TypeVar("T")
Bring = Callable[[Piece, Collection[int]], Sequence[Unreadable]]
"""(piece, offsets to leave out) → what else cannot be read of it; where there is anything, nothing was written. Called
in the lane's thread; raises `StoreAway`."""
SetAside = Callable[[Piece, Sequence[Unreadable]], Awaitable[None]]
"""Keeps word of records that nothing can be made of, before they are left out. Raises `StoreAway`."""
Done = Callable[[RecordBatch], None]
"""Called in the event loop once a batch is in the store."""


class Lane:
    """One topic into the store. Bounded by whoever puts: an agent leaves only so many batches unfinished."""

    def __init__(self, name: str, bring: Bring, set_aside: SetAside, done: Done) -> None:
        self._name = name
        self._patience = Patience(name)
        self._bring = bring
        self._set_aside = set_aside
        self._done = done
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ccr-{name}")
        self._waiting: deque[tuple[RecordBatch, asyncio.Future[None]]] = deque()
        self._taken: list[tuple[RecordBatch, asyncio.Future[None]]] = []
        self._working: asyncio.Task[None] | None = None
        self._defect: Exception | None = None

    @property
    def failure(self) -> str | None:
        """Why the store takes nothing now; None when it does."""
        return self._patience.failure

    def oldest_ms(self, partition: int) -> int | None:
        """When the oldest record of a partition was written that waits here; milliseconds since 1970."""
        here = (batch for batch, _ in (*self._taken, *self._waiting) if batch.partition == partition)
        return next((batch.records[0].timestamp for batch in here), None)

    def put(self, batch: RecordBatch) -> Awaitable[None]:
        """Queue a batch; what is returned is done once the batch is in the store."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._defect is not None:
            done.set_exception(self._defect)
            return done
        self._waiting.append((batch, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work(), name=self._name)
        return done

    async def ask(self, question: Callable[[], T]) -> T:
        """The store's answer, asked in the lane's thread, again until it comes."""
        return await self._patience.until_it_answers(lambda: self._called(question))

    async def let_go(self) -> None:
        """Forget what waits: it is never acknowledged. The transaction that is under way is finished, in its thread."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
        for _, done in (*self._taken, *self._waiting):
            done.cancel()
        self._taken, self._waiting = [], deque()

    async def close(self) -> None:
        """Let go, and wait for the transaction that is under way."""
        await self.let_go()
        await asyncio.to_thread(self._thread.shutdown)

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._taken = self._next()
                await self._brought([batch for batch, _ in self._taken])
                for batch, done in self._taken:
                    self._done(batch)
                    if not done.done():
                        done.set_result(None)
                self._taken = []
        except Exception as defect:
            # Nothing that comes behind it may be written: the positions would say that nothing is missing.
            self._defect = defect
            for _, done in (*self._taken, *self._waiting):
                if not done.done():
                    done.set_exception(defect)
            self._taken, self._waiting = [], deque()

    def _next(self) -> list[tuple[RecordBatch, asyncio.Future[None]]]:
        """The oldest batch, and what follows it of the same partition, as much as goes into one transaction."""
        taken = [self._waiting.popleft()]
        partition, count = taken[0][0].partition, len(taken[0][0].records)
        left: deque[tuple[RecordBatch, asyncio.Future[None]]] = deque()
        follows = True
        for one in self._waiting:
            batch = one[0]
            if batch.partition == partition:
                follows = follows and count < AT_ONCE and batch.first >= taken[-1][0].end
            if batch.partition == partition and follows:
                taken.append(one)
                count += len(batch.records)
            else:
                left.append(one)
        self._waiting = left
        return taken

    async def _brought(self, batches: Sequence[RecordBatch]) -> None:
        left_out: set[int] = set()
        while (unread := await self.ask(lambda: self._all_brought(batches, left_out))) is not None:
            piece, found = unread
            await self._patience.until_it_answers(partial(self._set_aside, piece, found))
            left_out.update(each.offset for each in found)

    def _all_brought(
        self, batches: Sequence[RecordBatch], left_out: Collection[int]
    ) -> tuple[Piece, Sequence[Unreadable]] | None:
        """None once all is in the store; else the piece that holds something unreadable."""
        for piece in pieces(batches, AT_ONCE):
            unreadable = self._bring(piece, left_out)
            if unreadable:
                return piece, unreadable
        return None

    async def _called(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)
