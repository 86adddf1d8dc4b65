"""Works that wait for a writer's thread: a bounded queue into it, and the answers' way back into each event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from services.engine.transaction import EngineClosed, Transaction

A = TypeVar("A")
T = TypeVar("T")
Loop = asyncio.AbstractEventLoop

QUEUE_WORKS = 1_024
"""Works that wait; beyond it `put` waits before it queues."""


@dataclass(slots=True)
class Task:
    """A work, its caller, and what became of it."""

    work: Callable[[Transaction], Any]
    loop: Loop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Works:
    """The queue: filled from event loops, emptied by one thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[Task] = deque()
        self._admission: deque[tuple[Loop, asyncio.Future[None]]] = deque()
        self._closing = False

    @property
    def waiting(self) -> bool:
        """Whether the next one can begin at once."""
        with self._changed:
            return bool(self._queue)

    async def put(self, work: Callable[[Transaction], T]) -> T:
        """Queue a work and wait for its answer; waits before that while the queue is full. Raises `EngineClosed`."""
        loop = asyncio.get_running_loop()
        task = Task(work, loop, loop.create_future())
        while (turn := self._enqueue(task)) is not None:
            await turn
        return cast(T, await task.future)

    def next(self, *, wait: bool) -> Task | None:
        """The work that waited longest; None when there is none, or, for who waits for one, once `close` was called."""
        with self._changed:
            while wait and not self._queue and not self._closing:
                self._changed.wait()
            if not self._queue:
                return None
            task = self._queue.popleft()
            admitted = self._admission.popleft() if self._admission else None
        if admitted is not None:
            loop, turn = admitted
            _hop(loop, _let_in, turn)
        return task

    def put_back(self, task: Task) -> None:
        """The work that was taken last comes first again."""
        with self._changed:
            self._queue.appendleft(task)

    def close(self) -> None:
        """Take no more; what is queued is still given out."""
        with self._changed:
            self._closing = True
            waiting, self._admission = self._admission, deque()
            self._changed.notify()
        for loop, turn in waiting:
            _hop(loop, _let_in, turn)

    def _enqueue(self, task: Task) -> asyncio.Future[None] | None:
        """Queue the task, or return what to wait for before trying again."""
        with self._changed:
            if self._closing:
                raise EngineClosed("the engine was closed; nothing was written")
            if len(self._queue) < QUEUE_WORKS:
                self._queue.append(task)
                self._changed.notify()
                return None
            turn: asyncio.Future[None] = task.loop.create_future()
            self._admission.append((task.loop, turn))
            return turn


def answer(tasks: Sequence[Task]) -> None:
    """Tell every caller what became of its work, in one hop into each event loop; from any thread."""
    by_loop: dict[Loop, list[Task]] = {}
    for task in tasks:
        by_loop.setdefault(task.loop, []).append(task)
    for loop, own in by_loop.items():
        _hop(loop, _resolve, own)


def _resolve(tasks: list[Task]) -> None:
    for task in tasks:
        if task.future.done():  # its caller was cancelled
            continue
        if task.error is not None:
            task.future.set_exception(task.error)
        else:
            task.future.set_result(task.result)


def _let_in(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _hop(loop: Loop, call: Callable[[A], None], argument: A) -> None:
    try:
        loop.call_soon_threadsafe(call, argument)
    except RuntimeError:
        # The caller's event loop was closed meanwhile: nobody is there to hear.
        if not loop.is_closed():
            raise
