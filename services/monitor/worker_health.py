"""Whether an intake worker can do its work, part by part, with the reason where it cannot.

Deadlines are not asked about: they fire where cases are folded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from services.engine.ports import Counts
from services.engine.transaction import EngineClosed, StorageFailed

Reason = Callable[[], Awaitable[str | None]]
"""Why a part is not ready; None when it is."""


class WorkerHealth:
    """Readiness of one worker that decides against the shared store."""

    def __init__(self, counts: Counts, parts: Mapping[str, Reason]) -> None:
        """`parts`: what it needs besides the store."""
        self._counts = counts
        self._parts = parts

    async def reasons(self) -> Mapping[str, str | None]:
        """Part → why it is not ready; None where it is."""
        return {"store": await self._store(), **{name: await why() for name, why in self._parts.items()}}

    async def _store(self) -> str | None:
        try:
            await self._counts.figures()
        except (StorageFailed, EngineClosed) as error:
            return str(error)
        return None
