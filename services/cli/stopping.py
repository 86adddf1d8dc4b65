"""Being asked to stop, by Ctrl-C or by whoever supervises the process: a wish to be heard, not an end on the spot."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INPUT = 0
"""Standard input, as the system numbers it."""


@asynccontextmanager
async def stop_asked() -> AsyncIterator[asyncio.Event]:
    """An event that `SIGNALS` set while the context lasts."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, asked.set)
    try:
        yield asked
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def stop_with_parent() -> None:
    """From now on, ask this process to stop (SIGTERM) once its parent has ended, however that ended.

    The parent holds the other end of its standard input and writes nothing into it. That it closes is noticed on every
    system, whatever this process is doing: loading, waiting for its directory, working.
    """
    threading.Thread(target=_wait_then_stop, name="parent", daemon=True).start()


def _wait_then_stop() -> None:
    with suppress(OSError):
        # Not by `sys.stdin`: its lock, held by this thread, would be waited for at the end of the interpreter.
        while os.read(_INPUT, 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
