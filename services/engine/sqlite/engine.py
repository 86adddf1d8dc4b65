"""The embedded engine, put together: one directory, one process that writes it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.engine.following import Following
from services.engine.ports import Alertable
from services.engine.sqlite.database import CommitMark, DirectoryLock, connect, connect_reading, make_directory, prepare
from services.engine.sqlite.group import Committed, Group
from services.engine.sqlite.outbox import last_seq, stored_page
from services.engine.sqlite.queries import SqliteCounts, SqliteLinkQueries, SqliteLog
from services.engine.sqlite.readers import Readers
from services.engine.sqlite.watch import DeadlineWatch
from services.engine.sqlite.writer import SqliteWriter


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """An open data directory."""

    directory: Path
    writer: SqliteWriter
    alerts: Following
    deadlines: DeadlineWatch
    links: SqliteLinkQueries
    log: SqliteLog
    counts: SqliteCounts


@asynccontextmanager
async def open_engine(directory: Path) -> AsyncIterator[SqliteEngine]:
    """Open a data directory, created when it does not exist; on leaving, finish what was queued and close.

    Raises `StorageFailed` when another process has it open, when it cannot be written, or when it is damaged.
    """
    lock, path = await asyncio.to_thread(_take, directory)
    try:
        mark = CommitMark(directory)
        connection, reading = await asyncio.to_thread(_connect, path)
        try:
            readers = Readers(path)
            alerts = _followed(readers, last_seq(connection))
            deadlines = DeadlineWatch()

            def committed(done: Committed) -> None:
                if done.told:
                    alerts.committed(done.told)
                if done.earliest is not None:
                    deadlines.committed(done.earliest)

            writer = SqliteWriter(Group(connection, reading, path, mark), readers, committed)
            writer.start()
            try:
                links, log, counts = SqliteLinkQueries(readers), SqliteLog(readers), SqliteCounts(readers)
                yield SqliteEngine(directory, writer, alerts, deadlines, links, log, counts)
            finally:
                await writer.close()
                alerts.close()
                deadlines.close()
                await readers.close()
        finally:
            await asyncio.to_thread(_close, connection, reading, mark)
    finally:
        lock.release()


def _followed(readers: Readers, newest: int) -> Following:
    async def page(after: int, limit: int) -> list[Alertable]:
        return await readers.select(partial(stored_page, after=after, limit=limit))

    async def last() -> int:
        return await readers.select(last_seq)

    return Following(page, last, newest)


def _take(directory: Path) -> tuple[DirectoryLock, Path]:
    make_directory(directory)
    lock = DirectoryLock(directory)
    try:
        return lock, prepare(directory)
    except BaseException:
        lock.release()
        raise


def _connect(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """The connection that writes, and one for works that run while another group is stored."""
    connection = connect(path)
    try:
        return connection, connect_reading(path)
    except BaseException:
        connection.close()
        raise


def _close(connection: sqlite3.Connection, reading: sqlite3.Connection, mark: CommitMark) -> None:
    reading.close()
    connection.close()
    mark.close()
