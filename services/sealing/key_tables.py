"""The tables of a shared key store, on PostgreSQL or SQLite, and how they are reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from services.sealing.keys import KeyStoreError

ANSWER_S = 5
"""How long the database may take to connect, to answer and to give a lock, in seconds."""
_MAKING = 0x4343524B
"""Lock of the one worker that makes the tables; workers that start together wait for it."""
_DIALECTS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_WRITES = "ccr_writes"

METADATA = MetaData()
MASTER = Table(
    "key_store",
    METADATA,
    Column("one", SmallInteger, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("proof", LargeBinary, nullable=False, comment="that the master key is the right one"),
    Column("moves", BigInteger().with_variant(Integer(), "sqlite"), nullable=False, comment="times keys were moved"),
)
DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("case_id", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("ring", Text, nullable=False),
    Column("wrapped", LargeBinary, comment="encrypted under the master key; null once destroyed"),
    CheckConstraint("ring IN ('open', 'sealed_court', 'destroyed') AND (wrapped IS NULL) = (ring = 'destroyed')"),
)


def open_key_tables(address: str) -> Engine:
    """The database at an address, its tables made when there are none. Raises `KeyStoreError`, and never shows a
    password."""
    engine = _engine(address)
    try:
        with writing(engine) as connection:
            if engine.dialect.name == "postgresql":  # SQLite's transactions write one after the other anyway
                connection.execute(select(func.pg_advisory_xact_lock(_MAKING)))
            METADATA.create_all(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        cause = getattr(error, "orig", None) or error
        raise KeyStoreError(
            f"the key store {shown(engine)} cannot be opened ({type(cause).__name__}): see that the database is "
            "there, that it runs and that this user may make tables in it"
        ) from error
    return engine


def is_new(address: str) -> bool:
    """Whether no key store was ever made there, so that no master key belongs to it yet. Raises `KeyStoreError`."""
    engine = _engine(address)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(MASTER.name):
                return True
            return connection.execute(select(MASTER.c.one)).first() is None
    except SQLAlchemyError as error:
        raise KeyStoreError(f"the key store {shown(engine)} cannot be read: see that the database runs") from error
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes; committed at the end of the block, rolled back when it raises."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def inserting(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """`INSERT` of a dialect that knows `ON CONFLICT`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def shown(engine: Engine) -> str:
    """The address without its password."""
    return engine.url.render_as_string(hide_password=True)


def _engine(address: str) -> Engine:
    form = "give  postgresql://USER@HOST/DATABASE  or  sqlite:///FILE"
    try:
        url = make_url(address)
    except ArgumentError:
        raise KeyStoreError(f"the address of the key store cannot be read: {form}") from None
    driver = _DIALECTS.get(url.get_backend_name())
    if driver is None:
        raise KeyStoreError(f"{url.get_backend_name()} is no database for the key store: {form}")
    if url.get_backend_name() == "sqlite":
        _make_private(url.database)
    try:
        engine = create_engine(
            url.set(drivername=driver),
            hide_parameters=True,
            connect_args={"timeout": ANSWER_S} if driver.startswith("sqlite") else {"connect_timeout": ANSWER_S},
        )
    except (NoSuchModuleError, ModuleNotFoundError):
        raise KeyStoreError("the driver of PostgreSQL is not installed: install ccr-backbone[postgres]") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "connect", _bounded)
    return engine


def _make_private(file: str | None) -> None:
    """Create the file for this user only; what SQLite puts beside it is as private."""
    if file in (None, "", ":memory:"):
        raise KeyStoreError("a key store in memory would be gone with the process: give  sqlite:///FILE")
    try:
        os.close(os.open(str(file), os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise KeyStoreError(f"{file}: {error.strerror}; name a file in a folder that this user may write") from None


def _durable(connection: Any, _record: object) -> None:
    """Begun by hand, as SQLAlchemy's notes on pysqlite say; on the disk before it counts; deleted means overwritten."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")


def _bounded(connection: Any, _record: object) -> None:
    for setting in ("statement_timeout", "lock_timeout"):
        connection.execute(f"SET {setting} = '{ANSWER_S}s'")
    connection.commit()
