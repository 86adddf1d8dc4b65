"""Parts of a replay handed to processes, each with policies of its own; results in order, a bounded number at a time.

A log that is read in a second is read here, without processes: starting one takes longer.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from typing import Any, Generic, Protocol, TypeVar

from ccr_events.core.rules import Policies
from services.casebook.replay_report import ReplayRefused

MAX_PROCESSES = 16
"""Processes at most, however many processors there are."""
AHEAD = 4
"""Parts handed out per process before their results are taken: bounds what waits in memory."""
WORTH_A_PROCESS = 20_000
"""Events from which on processes are started."""

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)
P = TypeVar("P")
R = TypeVar("R")
PolicySource = Callable[[], Policies]
"""Loads the policies; goes to the processes, so it is a function of a module, perhaps with `functools.partial`."""
Opened = Callable[[], AbstractContextManager[S]]
"""Opens what is stored, to be read in one state of it; goes to the processes too."""
Work = Callable[[S, Policies, P], R]
"""(what is stored, policies, the part to do) → its result. A function of a module; parts and results travel."""


class Crew(Protocol[S_co]):
    """Does parts of one job."""

    def each(self, work: Work[S_co, P, R], parts: Iterable[P]) -> Iterator[tuple[P, R]]:
        """Every part with its result, in order."""


@dataclass(frozen=True, slots=True)
class Alone(Generic[S]):
    """Does everything here."""

    opened: Opened[S]
    policies: Policies

    def each(self, work: Work[S, P, R], parts: Iterable[P]) -> Iterator[tuple[P, R]]:
        """Every part with its result, in order."""
        for part in parts:
            with self.opened() as stored:
                result = work(stored, self.policies, part)
            yield part, result


@dataclass(frozen=True, slots=True)
class Processes(Generic[S]):
    """Hands parts to processes."""

    pool: ProcessPoolExecutor
    ahead: int

    def each(self, work: Work[S, P, R], parts: Iterable[P]) -> Iterator[tuple[P, R]]:
        """Every part with its result, in order."""
        waiting: deque[tuple[P, Future[R]]] = deque()
        try:
            for part in parts:
                waiting.append((part, self.pool.submit(_do, work, part)))
                if len(waiting) >= self.ahead:
                    yield _taken(waiting)
            while waiting:
                yield _taken(waiting)
        except BrokenProcessPool as error:
            raise ReplayRefused(
                "a process of the replay was ended from outside, perhaps for want of memory; run it again, with "
                "fewer processes at a time"
            ) from error


@contextmanager
def crew(opened: Opened[S], policies: PolicySource, processes: int) -> Iterator[Crew[S]]:
    """Whoever does the parts of a job over what is stored."""
    if processes <= 1:
        yield Alone(opened, policies())
        return
    pool = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin, initargs=(opened, policies))
    try:
        yield Processes(pool, processes * AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def processes_for(events: int) -> int:
    """How many processes a log of this length is worth."""
    return min(len(os.sched_getaffinity(0)), MAX_PROCESSES) if events >= WORTH_A_PROCESS else 1


def _taken(waiting: deque[tuple[P, Future[R]]]) -> tuple[P, R]:
    part, future = waiting.popleft()
    return part, future.result()


_ground: tuple[Opened[Any], Policies] | None = None
"""Of a process of the crew: how the data is opened, and its policies."""


def _begin(opened: Opened[Any], policies: PolicySource) -> None:
    global _ground  # what a process is started with can reach its work in no other way
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its processes
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _ground = opened, policies()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(work: Work[Any, Any, R], part: Any) -> R:
    if _ground is None:
        raise ReplayRefused("a process of the replay was not begun")
    opened, policies = _ground
    with opened() as stored:
        return work(stored, policies, part)
