"""Follows an engine's log and transitions into the read model, batch by batch; starts again where it was."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from ccr_events.envelope import decode_record, fact_of
from services.engine.ports import AlertSource, Log, LogRecord
from services.engine.transaction import EngineClosed, StorageFailed
from services.monitor.read_model.store import EVENTS_STREAM, LINKS_STREAM, MAX_BATCH, ReadModel, ReadModelRefused

IDLE_S = 0.5
"""How long it waits before it asks for new events again."""
RETRY_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits after the database refused; the last one is repeated."""

Follow = Callable[[int], AsyncIterator[int]]
"""From a position on, each newer one once it is projected."""

_log = logging.getLogger(__name__)


class Projector:
    """Keeps a read model up to date; owns nothing but its progress, which the database holds."""

    def __init__(self, log: Log, alerts: AlertSource, model: ReadModel) -> None:
        self._source = log
        self._alerts = alerts
        self._model = model
        self._failures: dict[str, str] = {}

    @property
    def failure(self) -> str | None:
        """Why it waits; None when it does not."""
        return next(iter(self._failures.values()), None)

    async def run(self) -> None:
        """Goes on until cancelled or the engine closes; a database that refuses, either of the two, is asked again."""
        with suppress(EngineClosed):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._kept_up(self._events, EVENTS_STREAM), name="read model: events")
                both.create_task(self._kept_up(self._transitions, LINKS_STREAM), name="read model: links")

    async def _kept_up(self, follow: Follow, stream: str) -> None:
        refused = 0
        while True:
            try:
                after = await asyncio.to_thread(self._model.position, stream)
                async for _ in follow(after):
                    refused = 0
                    self._failures.pop(stream, None)
            except EngineClosed:
                return
            except (ReadModelRefused, StorageFailed) as error:
                self._failures[stream] = str(error)
                wait_s = RETRY_S[min(refused, len(RETRY_S) - 1)]
                refused += 1
                _log.warning("%s; trying again in %g s", str(error), wait_s)
                await asyncio.sleep(wait_s)

    async def _events(self, after: int) -> AsyncIterator[int]:
        while True:
            page = await self._source.read(after, MAX_BATCH)
            if not page:
                await asyncio.sleep(IDLE_S)
                continue
            await asyncio.to_thread(_project, self._model, page)
            after = page[-1].position
            yield after

    async def _transitions(self, after: int) -> AsyncIterator[int]:
        async for page in self._alerts.follow(after):
            await asyncio.to_thread(self._model.put_transitions, page)
            yield page[-1].seq


def _project(model: ReadModel, page: Sequence[LogRecord]) -> None:
    model.put_events([(record.position, fact_of(decode_record(record.body))) for record in page])
