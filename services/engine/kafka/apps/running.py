"""An app from its start to its end: until it is asked to stop, or until it crashed."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import faust

from services.engine.kafka.apps.settings import SHUTDOWN_S
from services.engine.kafka.apps.transport import membership_of

TICK_S = 0.2
"""How often a worker notes that it runs."""

GRACE_S = 2.0
"""What may come after the app has stopped: files and connections are closed."""

_log = logging.getLogger(__name__)


class WorkerCrashed(RuntimeError):
    """The worker ended by itself; says why. What was not committed is done again by whoever goes on."""


class Awoke(RuntimeError):
    """This process did not run for longer than its group waits: its partitions may be another's by now."""


async def run_app(
    app: faust.App,
    stopping: asyncio.Event,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
    *,
    give_up: Callable[[], None] = lambda: None,
) -> None:
    """Run an app and what goes on beside it until `stopping` is set; then stop cleanly, within `SHUTDOWN_S`.

    `give_up`: called when it did not stop in time, and, in another thread, when the process is still there `GRACE_S`
    later. Raises `WorkerCrashed` when it did not stop in time, and when the app or something beside it failed.
    """
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(_awake(app), name="awake")]
    asked: asyncio.Task[Any] = asyncio.create_task(stopping.wait())
    crashed: asyncio.Task[Any] = asyncio.create_task(app._crashed.wait())
    try:
        starting: asyncio.Task[Any] = asyncio.create_task(app.start())
        await asyncio.wait({starting, asked, crashed}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
        tasks += [asyncio.create_task(work()) for work in beside]
        await asyncio.wait({asked, crashed, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        failure = app.crash_reason or next((task.exception() for task in tasks if task.done()), None)
        if failure is not None:
            # Whoever is told to stop looks here whether it may still write.
            app.crash_reason = failure
        _watch_the_end(give_up)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        stopped = await _stopped(app)
    finally:
        for task in (asked, crashed, *tasks):
            task.cancel()
    if not stopped:
        give_up()
    if failure is not None:
        raise WorkerCrashed(crash_words(failure)) from failure
    if not stopped:
        raise WorkerCrashed(f"the worker did not stop within {SHUTDOWN_S:.0f} s; what it had not committed is repeated")


def crash_words(failure: BaseException) -> str:
    """An error of ours in its own words; of another only the kind, as its text may quote what was worked on."""
    while isinstance(failure, BaseExceptionGroup) and failure.exceptions:
        failure = failure.exceptions[0]
    if type(failure).__module__.partition(".")[0] in ("services", "ccr_events"):
        return str(failure)
    return f"the worker crashed ({type(failure).__name__}); what it had not committed is done again"


def _watch_the_end(give_up: Callable[[], None]) -> None:
    """Whatever hangs, the loop itself, a thread, a library: whoever was told to end is gone in time."""
    watch = threading.Timer(SHUTDOWN_S + GRACE_S, give_up)
    watch.daemon = True
    watch.start()


async def _stopped(app: faust.App) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(SHUTDOWN_S):
            await app.stop()
            return True
    return False


async def _awake(app: faust.App) -> None:
    """Note that we run; a process that was paused for too long must write nothing more in its group's name."""
    membership = membership_of(app)
    membership.tick()
    while True:
        await asyncio.sleep(TICK_S)
        require_awake(app)
        membership.tick()


def require_awake(app: faust.App) -> None:
    """Raise `Awoke` when this process did not run for longer than its group waits for it."""
    if membership_of(app).slept:
        raise Awoke(
            "this worker did not run for longer than its group waits for it, so its partitions may be another's: it "
            "ends without writing. Start it again"
        )


def end_at_once() -> None:
    """End this process as one that was killed would end: nothing that still runs in it may go on writing."""
    _log.error("the worker did not stop within %.0f s and is ended", SHUTDOWN_S)
    os._exit(1)
