"""Whether another worker judges events by newer policies than this one has: told, and nothing is held up by it.

What this worker accepts is judged by the policies it has, and alerts of other editions go out without the words of
their rule. So it stays at work until it is given the same documents.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from ccr_events.policy import PolicyBook
from services.casebook.editions import missing_editions
from services.engine.transaction import EngineClosed, StorageFailed

LOOK_S = 15.0
"""How often it looks, in seconds."""
Stamped = Callable[[], Awaitable[Sequence[str]]]
"""The ids of the editions on the log."""

_log = logging.getLogger(__name__)


class EditionWatch:
    """Looks at the editions on a log that others write too."""

    def __init__(self, stamped: Stamped, policies: PolicyBook) -> None:
        self._stamped = stamped
        self._policies = policies
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Which editions are missing here, and what to do; None when there is none."""
        return self._failure

    async def run(self) -> None:
        """Look, until cancelled or the store closes."""
        while True:
            try:
                self.look(await self._stamped())
            except StorageFailed:
                pass  # said by whoever needs the store
            except EngineClosed:
                return
            await asyncio.sleep(LOOK_S)

    def look(self, stamped: Sequence[str]) -> None:
        """Compare; what is new is logged."""
        missing = missing_editions(stamped, self._policies)
        if not missing:
            self._failure = None
            return
        found = (
            f"another worker judges events by policy edition {', '.join(missing)}, which {self._policies.origin} does "
            "not have: give this one the same documents, and start it again"
        )
        if found != self._failure:
            _log.warning("%s", found)
        self._failure = found
