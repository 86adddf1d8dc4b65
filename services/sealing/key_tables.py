"""The tables of a shared key store, on PostgreSQL or SQLite, and how they are reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Engine,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from services.engine.sql.columns import BIG
from services.engine.sql.database import Purpose, cause_of, open_engine, parsed, shown
from services.sealing.keys import KeyStoreError

_PURPOSE = Purpose("the key store", KeyStoreError)
_CONNECTIONS = 2
"""One that writes or reads, and one more that clears away."""
_MAKING = 0x4343524B
"""Lock of the one worker that makes the tables; workers that start together wait for it."""

METADATA = MetaData()
MASTER = Table(
    "key_store",
    METADATA,
    Column("one", SmallInteger, CheckConstraint("one = 1"), primary_key=True, autoincrement=False),
    Column("proof", LargeBinary, nullable=False, comment="that the master key is the right one"),
    Column("moves", BIG, nullable=False, comment="how often keys were moved"),
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


@dataclass(frozen=True, slots=True)
class KeyTables:
    """The database of a key store."""

    writing: Engine
    reading: Engine
    where: str
    """Its address, without the password."""

    def dispose(self) -> None:
        """Close its connections."""
        self.writing.dispose()
        self.reading.dispose()


def open_key_tables(address: str) -> KeyTables:
    """The database at an address, its tables made when there are none.

    Raises `KeyStoreError`, and never shows a password.
    """
    tables = _tables(address)
    try:
        with tables.writing.begin() as connection:
            if connection.dialect.name == "postgresql":  # SQLite's transactions write one after the other anyway
                connection.execute(select(func.pg_advisory_xact_lock(_MAKING)))
            METADATA.create_all(connection)
    except SQLAlchemyError as error:
        tables.dispose()
        raise KeyStoreError(
            f"the key store {tables.where} cannot be opened ({cause_of(error)}): see that the database is there, that "
            "it runs and that this user may make tables in it"
        ) from error
    return tables


def is_new(address: str) -> bool:
    """Whether no key store was ever made there, so that no master key belongs to it yet. Raises `KeyStoreError`."""
    tables = _tables(address)
    try:
        with tables.writing.begin() as connection:
            if not inspect(connection).has_table(MASTER.name):
                return True
            return connection.execute(select(MASTER.c.one)).first() is None
    except SQLAlchemyError as error:
        raise KeyStoreError(
            f"the key store {tables.where} cannot be read ({cause_of(error)}): see that the database is there and runs"
        ) from error
    finally:
        tables.dispose()


def _tables(address: str) -> KeyTables:
    url = parsed(address, _PURPOSE)
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database in (None, "", ":memory:"):
        raise KeyStoreError("a key store in memory would be gone with the process: give  sqlite:///FILE")
    writing = open_engine(url, _PURPOSE, connections=_CONNECTIONS)
    if sqlite:
        event.listen(writing, "connect", _overwriting)
    return KeyTables(writing, open_engine(url, _PURPOSE, connections=1, reading=True), shown(writing))


def _overwriting(connection: Any, _record: object) -> None:
    """Deleted means overwritten."""
    connection.execute("PRAGMA secure_delete = ON")
