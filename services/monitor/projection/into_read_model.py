"""The read model, kept beside the store. Whatever becomes of its database, alerts do not wait for it."""

from __future__ import annotations

import asyncio
import logging

from services.engine.ports import AlertSource, Log
from services.engine.sql.database import parsed
from services.monitor.read_model.projector import Projector
from services.monitor.read_model.store import PURPOSE, ReadModel, ReadModelRefused, open_read_model

RETRY_S = (1.0, 5.0, 15.0, 60.0)
"""Waits after it could not be opened, or stopped; the last one is repeated."""

_log = logging.getLogger(__name__)


class KeptReadModel:
    """Opens one database and follows the store into it, again and again."""

    def __init__(self, address: str, log: Log, alerts: AlertSource) -> None:
        """Raises `ReadModelRefused` when nothing can have this address."""
        parsed(address, PURPOSE)
        self._address = address
        self._source = log
        self._alerts = alerts
        self._projector: Projector | None = None
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why it is not kept up now; None when it is."""
        return self._failure or (None if self._projector is None else self._projector.failure)

    async def run(self) -> None:
        """Goes on until cancelled or the engine closes."""
        tried = 0
        while True:
            try:
                model = await asyncio.to_thread(open_read_model, self._address)
                self._failure, tried = None, 0
                await self._follow(model)
                return
            except ReadModelRefused as refused:
                self._failure = str(refused)
            except Exception as defect:
                # Its text may quote what was to be written.
                kind = defect.exceptions[0] if isinstance(defect, ExceptionGroup) else defect
                self._failure = f"the read model cannot be filled ({type(kind).__name__}): this is a defect"
            wait_s = RETRY_S[min(tried, len(RETRY_S) - 1)]
            tried += 1
            _log.error("%s. Alerts go on without it; trying again in %g s", self._failure, wait_s)
            await asyncio.sleep(wait_s)

    async def _follow(self, model: ReadModel) -> None:
        self._projector = Projector(self._source, self._alerts, model)
        try:
            await self._projector.run()
        finally:
            self._projector = None
            await asyncio.to_thread(model.close)
