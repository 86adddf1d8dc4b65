"""Queries beside the writer: a few threads, each query in a snapshot of the last durable state."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from services.engine.sqlite.database import connect_reading
from services.engine.sqlite.failure import is_storage_failure, storage_failed
from services.engine.sqlite.transaction import SqliteTransaction
from services.engine.transaction import EngineClosed, Transaction

T = TypeVar("T")

READERS = 4
"""Queries that run at the same time; further ones wait."""


class Readers:
    """Connections that cannot write, and the threads that use them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="ccr-reader")
        self._idle: SimpleQueue[tuple[sqlite3.Connection, SqliteTransaction]] = SimpleQueue()
        self._closed = False
        for _ in range(READERS):
            connection = connect_reading(path)
            self._idle.put((connection, SqliteTransaction(connection, connection, writable=False)))

    async def run(self, query: Callable[[Transaction], T]) -> T:
        """The answer to a query over the stores."""
        return await self._in_thread(lambda _, stores: query(stores))

    async def select(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """The answer to a query over the tables."""
        return await self._in_thread(lambda connection, _: query(connection))

    async def close(self) -> None:
        """Finish the running queries and close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        while not self._idle.empty():
            connection, _ = self._idle.get()
            connection.close()

    async def _in_thread(self, ask: Callable[[sqlite3.Connection, SqliteTransaction], T]) -> T:
        if self._closed:
            raise EngineClosed("the engine was closed; nothing can be read")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, ask)

    def _answer(self, ask: Callable[[sqlite3.Connection, SqliteTransaction], T]) -> T:
        connection, stores = self._idle.get()
        try:
            connection.execute("BEGIN")
            try:
                return ask(connection, stores)
            finally:
                if connection.in_transaction:  # SQLite has already rolled back after some failures
                    connection.execute("COMMIT")
        except sqlite3.Error as error:
            if is_storage_failure(error):
                raise storage_failed(error, self._path) from error
            raise
        finally:
            self._idle.put((connection, stores))
