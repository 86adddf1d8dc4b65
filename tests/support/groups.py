"""Works that share a transaction, and works that wait on purpose."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

from services.engine.transaction import Transaction, Writer


class Gate:
    """Holds a writer's thread, so that what is written meanwhile becomes one group."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._open = threading.Event()
        self._reached = threading.Event()

    async def __aenter__(self) -> Gate:
        def hold(_: Transaction) -> None:
            self._reached.set()
            self._open.wait(30)

        self._held = asyncio.ensure_future(self._writer.write(hold))
        await asyncio.to_thread(self._reached.wait, 30)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.set()
        await asyncio.gather(self._held, return_exceptions=True)


async def in_one_group(writer: Writer, works: Sequence[Callable[[Transaction], Any]]) -> list[Any]:
    """What became of works that shared a transaction."""
    async with Gate(writer):
        tasks = [asyncio.ensure_future(writer.write(work)) for work in works]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)
