"""A database by its address: opened so that PostgreSQL and SQLite mean the same, and refusals in words.

On SQLite a transaction that writes is begun as such (`BEGIN IMMEDIATE`), so two never find out late that they collide,
and files are for this user only. On PostgreSQL every wait has an end.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from services.engine.private_file import create_private

BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for another connection to the same SQLite file."""
SILENT_S = 20
"""A connection to PostgreSQL that holds a lock and says nothing for so long is ended: one whose process sleeps must not
hold up the others."""
LOCK_TIMEOUT_S = 30
"""How long a statement waits for a lock on PostgreSQL, also for the writers' turn; longer than a sleeper has it."""
STATEMENT_TIMEOUT_S = 60
"""How long a statement may take on PostgreSQL."""
CONNECT_TIMEOUT_S = 5
"""How long PostgreSQL may take to let a connection in."""
UNHEARD_S = 15
"""Silence of the network after which a connection to PostgreSQL is given up."""
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_EXAMPLES = "sqlite:///FILE  or  postgresql://USER@HOST/DATABASE"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a database is opened for, and how its refusals are raised."""

    what: str
    """In words, for example `the read model`."""
    refused: Callable[[str], Exception]
    """The error to raise, from the reason."""


def parsed(address: str, purpose: Purpose) -> URL:
    """The address with our driver; raises what `purpose.refused` makes of the reason, never with the address itself,
    which may hold a password."""
    try:
        url = make_url(address)
    except ArgumentError:
        raise purpose.refused(f"the address of {purpose.what} cannot be read: give  {_EXAMPLES}") from None
    driver = _DRIVERS.get(url.get_backend_name())
    if driver is None:
        raise purpose.refused(f"{url.get_backend_name()} is no database for {purpose.what}: give  {_EXAMPLES}")
    return url.set(drivername=driver)


def open_engine(url: URL, purpose: Purpose, *, connections: int = 5, reading: bool = False) -> Engine:
    """Connections to the database, made when they are needed, at most `connections` at once.

    `reading`: none of them can write, and each transaction sees one state of the data throughout. Raises what
    `purpose.refused` makes of the reason.
    """
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        _make_private(url.database, purpose)
    arguments: dict[str, Any] = {} if sqlite else {"connect_args": _patience()}
    if reading and not sqlite:
        arguments["isolation_level"] = "REPEATABLE READ"
    try:
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_size=connections, max_overflow=0, **arguments
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise purpose.refused("the driver of PostgreSQL is not installed: install ccr-backbone[postgres]") from None
    if sqlite:
        event.listen(engine, "connect", _sqlite_reading if reading else _sqlite_writing)
        event.listen(engine, "begin", _begin_reading if reading else _begin_writing)
    else:
        event.listen(engine, "connect", _postgresql_reading if reading else _postgresql_writing)
    return engine


def shown(engine: Engine) -> str:
    """The address, without the password."""
    return engine.url.render_as_string(hide_password=True)


def inserting(dialect: str, table: Table) -> Any:
    """An `INSERT` that can be told what to do about a row that is there: both dialects have the same words for it."""
    return (postgresql_insert if dialect == "postgresql" else sqlite_insert)(table)


def _make_private(file: str | None, purpose: Purpose) -> None:
    """Create the file for this user only. What SQLite puts beside it is as private."""
    if file in (None, "", ":memory:"):
        return
    path, remedy = Path(str(file)), "name a file in a folder that this user may write"
    try:
        create_private(path)
    except OSError as error:
        raise purpose.refused(f"{file}: {error.strerror}; {remedy}") from None
    if not path.is_file() or not os.access(path, os.R_OK | os.W_OK):
        raise purpose.refused(f"{file}: it is no file that can be read and written; {remedy}")


def _patience() -> dict[str, Any]:
    """Of the client's library: a dead network is noticed."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives_idle": UNHEARD_S // 3,
        "keepalives_interval": UNHEARD_S // 3,
        "keepalives_count": 2,
        "tcp_user_timeout": UNHEARD_S * 1000,
    }


def _postgresql_writing(connection: Any, _record: object) -> None:
    _set(connection, lock_timeout=LOCK_TIMEOUT_S, statement_timeout=STATEMENT_TIMEOUT_S)


def _postgresql_reading(connection: Any, _record: object) -> None:
    _set(connection, lock_timeout=LOCK_TIMEOUT_S, statement_timeout=STATEMENT_TIMEOUT_S)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    connection.commit()


def _set(connection: Any, **seconds: int) -> None:
    with connection.cursor() as cursor:
        for name, value in seconds.items():
            cursor.execute(f"SET {name} = '{value}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{SILENT_S}s'")
    connection.commit()


def _sqlite_writing(connection: Any, _record: object) -> None:
    """Python's driver begins late and leaves tables out of transactions; SQLAlchemy's notes on pysqlite say how not."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")


def _sqlite_reading(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA query_only = ON")


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def cause_of(error: SQLAlchemyError) -> str:
    """What the driver raised, by kind: its own words may quote what was written."""
    return type(getattr(error, "orig", None) or error).__name__
