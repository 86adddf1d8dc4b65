"""What is committed and was not sent goes out although nothing new comes.

The next group sends it first, whoever has it. But at night the next group may be hours away, and what waits may be an
alert: so every intake worker looks, and begins one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from services.engine.transaction import EngineClosed, StorageFailed, Transaction, Writer

LOOK_S = 1.0
"""How often it is looked for."""
LONGEST_RETRY_S = 10.0
"""Longest wait after what waits could not be sent either; it never gives up."""
_NOBODY = "00000000-0000-8000-8000-000000000000"
"""No event has this id: looking for it is the first step of a decision, which sends what waits, and decides nothing."""

_log = logging.getLogger(__name__)


async def relay(writer: Writer, unsent: Callable[[], Awaitable[bool]]) -> None:
    """Look, and have it sent, until cancelled or the engine closes. `unsent`: whether anything waits."""
    wait_s, told = LOOK_S, ""
    while True:
        await asyncio.sleep(wait_s)
        try:
            if await unsent():
                await writer.write(_begin)
            if told:
                _log.warning("the store answers again, and nothing waits to be sent any more")
            wait_s, told = LOOK_S, ""
        except EngineClosed:
            return
        except Exception as error:  # whatever it is: what waits must not wait for the next event
            why = str(error) if isinstance(error, StorageFailed) else f"{type(error).__name__}, a defect"
            if why != told:
                _log.error("events may wait to be sent: %s", why)
            wait_s, told = min(2 * wait_s, LONGEST_RETRY_S), why


def _begin(tx: Transaction) -> None:
    tx.events.find(_NOBODY)
