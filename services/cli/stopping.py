"""Being asked to stop, by Ctrl-C or by whoever supervises the process: a wish to be heard, not an end on the spot."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
