"""Threads, locks and conditions on one stack after the other (greenlets): the loop decides who goes on, and when.

A thread stops where it waits, and where `pause` is called (around every begin and commit), never while it holds a
lock: so a lock is always free when it is asked for, as if the system had scheduled nobody else meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any

from greenlet import getcurrent, greenlet

LONGEST_PAUSE_S = 0.5
"""A thread that is paused goes on after this at most."""


class SimulatedThread:
    """What the product uses of `threading.Thread`."""

    def __init__(
        self,
        group: None = None,
        target: Callable[..., Any] | None = None,
        name: str | None = None,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        daemon: bool | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        assert target is not None
        self.name = name or "thread"
        self.daemon = daemon
        self._run = lambda: target(*args, **(kwargs or {}))
        self._loop = loop or asyncio.get_running_loop()
        here = getcurrent()
        self._greenlet = _Stack(self._main, here.parent if isinstance(here, _Stack) else here)
        self._greenlet.thread = self
        self._over = False
        self._joining: deque[SimulatedThread] = deque()
        self.held = 0
        """Locks it holds."""

    def start(self) -> None:
        """Begin, once the loop lets it."""
        self.wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        while not self._over:
            self._joining.append(running())
            running().block()

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return not self._over

    def wake(self, after_s: float = 0.0) -> None:
        """Go on, once the loop lets it."""
        if after_s:
            self._loop.call_later(after_s, self._greenlet.switch)
        else:
            self._loop.call_soon(self._greenlet.switch)

    def block(self) -> None:
        """Stop here until somebody calls `wake`."""
        assert self.held == 0, f"{self.name} waits while it holds a lock: nobody could give it free"
        self._greenlet.parent.switch()

    def _main(self) -> None:
        self._run()
        self._over = True
        while self._joining:
            self._joining.popleft().wake()


class _Stack(greenlet):
    """The stack of one thread."""

    thread: SimulatedThread


def running() -> SimulatedThread:
    """The thread this is called in; raises `AssertionError` in the event loop, which must not wait."""
    stack = getcurrent()
    assert isinstance(stack, _Stack), "the event loop itself would wait here, and everything with it"
    return stack.thread


def pause(random: Random) -> None:
    """Let others run first; does nothing in the event loop and under a lock."""
    stack = getcurrent()
    if isinstance(stack, _Stack) and stack.thread.held == 0:
        stack.thread.wake(random.random() ** 6 * LONGEST_PAUSE_S)
        stack.parent.switch()


class SimulatedLock:
    """What the product uses of `threading.Lock`."""

    def __init__(self) -> None:
        self._taken = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; it is always free, see above."""
        assert not self._taken, "a thread takes a lock it holds already"
        self._taken = True
        _held(+1)
        return True

    def release(self) -> None:
        """Give it up."""
        self._taken = False
        _held(-1)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class SimulatedCondition:
    """What the product uses of `threading.Condition`."""

    def __init__(self, lock: SimulatedLock | None = None) -> None:
        self._lock = lock or SimulatedLock()
        self._waiting: deque[SimulatedThread] = deque()

    def __enter__(self) -> bool:
        return self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Give the lock up until notified (a timeout never comes first: nobody waits on the wall clock here)."""
        thread = running()
        self._waiting.append(thread)
        self._lock.release()
        thread.block()
        self._lock.acquire()
        return True

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Wait until it holds."""
        while not (result := predicate()):
            self.wait()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake those who wait longest."""
        for _ in range(min(n, len(self._waiting))):
            self._waiting.popleft().wake()

    def notify_all(self) -> None:
        """Wake all."""
        self.notify(len(self._waiting))


class SimulatedEvent:
    """What the product may use of `threading.Event`."""

    def __init__(self) -> None:
        self._set = False
        self._changed = SimulatedCondition()

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Set it and wake who waits."""
        with self._changed:
            self._set = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Take it back."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set."""
        with self._changed:
            self._changed.wait_for(self.is_set)
        return True


def _held(change: int) -> None:
    stack = getcurrent()
    if isinstance(stack, _Stack):
        stack.thread.held += change


SIMULATED_THREADING = SimpleNamespace(
    Thread=SimulatedThread,
    Lock=SimulatedLock,
    Condition=SimulatedCondition,
    Event=SimulatedEvent,
    get_ident=threading.get_ident,
    current_thread=threading.current_thread,
)
"""Stands for the module `threading` in the product."""
