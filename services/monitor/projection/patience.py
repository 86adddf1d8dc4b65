"""Asking the store again until it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

RETRY_S = (0.1, 0.5, 1.0, 5.0)
"""Waits after the store refused; the last one is repeated."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class StoreAway(RuntimeError):
    """The store took nothing; says why and what to do. The same is brought again."""


class Patience:
    """One who brings something to the store, or asks it; an operator sees why it has to wait."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why the store takes nothing now; None when it does."""
        return self._failure

    async def until_it_answers(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns, the first time it does not raise `StoreAway`. Each reason is logged once, and
        that it is over."""
        tried = 0
        while True:
            try:
                answer = await ask()
            except StoreAway as away:
                if str(away) != self._failure:
                    _log.error("%s: %s", self._name, str(away))
                self._failure = str(away)
                await asyncio.sleep(RETRY_S[min(tried, len(RETRY_S) - 1)])
                tried += 1
            else:
                if self._failure is not None:
                    _log.warning("%s: the store takes everything again", self._name)
                self._failure = None
                return answer
