"""The SQL store, put together: what intake decides against, what the projection fills, what the portal reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from services.engine.following import Following
from services.engine.ports import Alertable
from services.engine.sql.database import Purpose, open_engine, parsed, shown
from services.engine.sql.failure import storage_failed
from services.engine.sql.group import Group
from services.engine.sql.hearing import Hearing, last_seq, stored_page
from services.engine.sql.migrating import STORE
from services.engine.sql.outgoing import Outgoing
from services.engine.sql.projecting import Projection
from services.engine.sql.queries import SqlCounts, SqlLinkQueries, SqlLog
from services.engine.sql.readers import READERS, Readers
from services.engine.sql.session import Session
from services.engine.sql.transaction import Writing
from services.engine.sql.turn import FileLock, SessionLock, TurnLock
from services.engine.sql.writer import SqlWriter
from services.engine.transaction import StorageFailed

_PURPOSE = Purpose("the SQL store", StorageFailed)


@dataclass(frozen=True, slots=True)
class SqlStore:
    """An open store."""

    address: str = field(repr=False)
    writer: SqlWriter
    alerts: Following
    links: SqlLinkQueries
    log: SqlLog
    counts: SqlCounts
    projection: Projection


@asynccontextmanager
async def open_store(address: str, outgoing: Outgoing | None = None) -> AsyncIterator[SqlStore]:
    """Open the store at `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`, its tables brought to this release's
    version; on leaving, finish what was queued and close.

    `outgoing`: how accepted events are sent; without it nothing can be accepted, but everything else works. Raises
    `StorageFailed`, never with a password in it.
    """
    url = parsed(address, _PURPOSE)
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise StorageFailed("the SQL store needs a file that other processes can open: give  sqlite:///FILE")
    writing, reading = await asyncio.to_thread(_opened, url)
    readers = Readers(reading)
    try:
        newest = await readers.select(last_seq)
        alerts = _followed(readers, newest)
        hearing = Hearing(reading, alerts, newest)
        session = Session(writing)
        stores = Writing(session, _lock(session, url), outgoing, readers.afresh)
        writer = SqlWriter(Group(session, stores), readers)
        projection = Projection(writing, hearing.committed, hearing.lock)
        writer.start()
        hearing.start()
        try:
            links, log, counts = SqlLinkQueries(readers), SqlLog(readers), SqlCounts(readers)
            yield SqlStore(address, writer, alerts, links, log, counts, projection)
        finally:
            await writer.close()
            alerts.close()
            await asyncio.to_thread(hearing.close)
    finally:
        await readers.close()
        writing.dispose()


def _opened(url: URL) -> tuple[Engine, Engine]:
    """The connections that write and those that read; the tables are there."""
    writing = open_engine(url, _PURPOSE)
    try:
        with writing.begin() as connection:
            STORE.migrate(connection, lambda why: StorageFailed(f"{shown(writing)}: {why}"))
        return writing, open_engine(url, _PURPOSE, connections=READERS + 4, reading=True)
    except SQLAlchemyError as error:
        writing.dispose()
        raise storage_failed(error, shown(writing)) from error
    except BaseException:
        writing.dispose()
        raise


def _lock(session: Session, url: URL) -> TurnLock:
    return SessionLock(session) if session.dialect == "postgresql" else FileLock(f"{url.database}-turn")


def _followed(readers: Readers, newest: int) -> Following:
    async def page(after: int, limit: int) -> list[Alertable]:
        return await readers.select(lambda connection: stored_page(connection, after, limit))

    async def last() -> int:
        return await readers.select(last_seq)

    return Following(page, last, newest)
