"""Queries beside the writer: a few threads, each query in a snapshot of the last durable state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from services.engine.sql.database import shown
from services.engine.sql.failure import is_of_the_work, storage_failed
from services.engine.sql.transaction import Reading
from services.engine.sql.views import Loaded
from services.engine.transaction import EngineClosed, Transaction

T = TypeVar("T")

READERS = 4
"""Queries that run at the same time; further ones wait."""


class Readers:
    """Connections that cannot write, and the threads that use them."""

    def __init__(self, engine: Engine) -> None:
        """`engine` gives at least `READERS` + 2 connections: views and whoever follows the outbox have their own."""
        self._engine = engine
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="ccr-sql-reader")
        self._closed = False

    async def run(self, query: Callable[[Transaction], T]) -> T:
        """The answer to a query over the stores."""
        return await self.select(lambda connection: query(Reading(connection)))

    async def select(self, query: Callable[[Connection], T]) -> T:
        """The answer to a query over the tables."""
        if self._closed:
            raise EngineClosed("the engine was closed; nothing can be read")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.now, query)

    def now(self, query: Callable[[Connection], T]) -> T:
        """The same, in this thread."""
        try:
            with self._engine.connect() as connection:
                return query(connection)
        except SQLAlchemyError as error:
            if is_of_the_work(error):
                raise
            raise storage_failed(error, shown(self._engine)) from error

    def afresh(self, case_id: str) -> Loaded:
        """A case as it is committed, read in this thread."""
        return self.now(lambda connection: Reading(connection).views.load(case_id))

    async def close(self) -> None:
        """Finish the running queries and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        self._engine.dispose()
