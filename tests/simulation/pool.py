"""Pools of simulated threads: as many at once as a pool has, each begun a little later."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.threads import SimulatedCondition, SimulatedThread

MANY = 32
"""Threads of a pool that was not told how many."""
SLOW_START_S = 0.05
"""A thread begins at most this much later."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A function somebody waits for."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    answer: asyncio.Future[Any]


class SimulatedPool:
    """What the product uses of `concurrent.futures.ThreadPoolExecutor`, with `loop.run_in_executor`."""

    def __init__(self, max_workers: int | None = None, thread_name_prefix: str = "pool") -> None:
        self._free = max_workers or MANY
        self._name = thread_name_prefix
        self._waiting: deque[_Call] = deque()
        self._running = 0
        self._rest = SimulatedCondition()

    def begin(
        self, loop: asyncio.AbstractEventLoop, random: Random, func: Callable[..., Any], args: tuple[Any, ...]
    ) -> asyncio.Future[Any]:
        """Run it in one of the threads."""
        call = _Call(func, args, loop.create_future())
        self._waiting.append(call)
        loop.call_later(random.random() ** 4 * SLOW_START_S, self._next, loop)
        return call.answer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait until everything that was begun has ended."""
        with self._rest:
            self._rest.wait_for(lambda: not self._running and not self._waiting)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and self._waiting[0].answer.cancelled():  # nobody waits for it any more
            self._waiting.popleft()
        if self._free and self._waiting:
            self._free -= 1
            self._running += 1
            SimulatedThread(target=self._run, name=self._name, args=(loop, self._waiting.popleft()), loop=loop).start()
        self._rest_if_empty()

    def _run(self, loop: asyncio.AbstractEventLoop, call: _Call) -> None:
        result, failure = None, None
        try:
            result = call.func(*call.args)
        except BaseException as error:  # whatever it is, who waits must hear
            failure = error
        self._free += 1
        self._running -= 1
        loop.call_soon(_settle, call.answer, result, failure)
        loop.call_soon(self._next, loop)

    def _rest_if_empty(self) -> None:
        if not self._running and not self._waiting:
            with self._rest:
                self._rest.notify_all()


def _settle(answer: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if answer.done():
        return
    if failure is None:
        answer.set_result(result)
    else:
        answer.set_exception(failure)
