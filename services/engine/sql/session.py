"""The connection that writes, and what one work of many did with it at once. Belongs to the writer's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Engine, Executable, Table

from services.engine.sql.database import inserting, shown
from services.engine.transaction import StorageFailed


class Executing(Protocol):
    """What stores use of a connection."""

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement."""


class Session:
    """One connection, made when it is needed, one transaction after the other, and savepoints of single works."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._saved = False
        self._used = False
        self.where = shown(engine)
        """The database, in words."""
        self.dialect = engine.dialect.name

    @property
    def used(self) -> bool:
        """Whether anything ran in this transaction."""
        return self._used

    @property
    def is_sound(self) -> bool:
        """Whether the transaction goes on after a statement failed."""
        if self._connection is None or self._connection.invalidated:
            return False
        if self.dialect != "postgresql":
            return bool(self._connection.connection.driver_connection.in_transaction)  # type: ignore[union-attr]
        status: str = self._connection.connection.driver_connection.info.transaction_status.name  # type: ignore[union-attr]
        return self._saved or status != "INERROR"

    def execute(self, statement: Executable, parameters: Any = None, /) -> CursorResult[*tuple[Any, ...]]:
        """Run one statement, in the transaction, which the first one begins."""
        return self._begun().execute(statement, parameters)

    def save(self) -> None:
        """What the current work writes from here on can be taken back alone."""
        if not self._saved:
            self._driver("SAVEPOINT work")
            self._saved = True

    def settle(self) -> None:
        """The current work succeeded."""
        if self._saved:
            self._saved = False
            self._driver("RELEASE SAVEPOINT work")

    def take_back(self) -> None:
        """The current work failed."""
        if self._saved:
            self._saved = False
            self._driver("ROLLBACK TO SAVEPOINT work")
            self._driver("RELEASE SAVEPOINT work")

    def commit(self) -> None:
        """End the transaction; what it wrote is durable."""
        if self._connection is not None:
            self._connection.commit()
        self._used = False

    def run_lightly(self, statement: Executable, parameters: Any = None) -> None:
        """A transaction of one statement that does not wait for the disk: it may be lost with the machine."""
        if self.dialect == "postgresql":
            self._driver("SET LOCAL synchronous_commit = off")
            self.execute(statement, parameters)
            self.commit()
            return
        self._pragma("synchronous = NORMAL")  # which is refused inside a transaction
        self.execute(statement, parameters)
        self.commit()
        self._pragma("synchronous = FULL")

    def give_up(self) -> None:
        """Something failed: undo the transaction and leave the connection, and with it every lock."""
        connection, self._connection = self._connection, None
        self._saved = self._used = False
        if connection is not None:
            with suppress(Exception):
                connection.invalidate()
            with suppress(Exception):
                connection.close()

    def _driver(self, statement: str) -> None:
        self._begun().exec_driver_sql(statement)

    def _begun(self) -> Connection:
        self._used = True
        return self._connected()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _pragma(self, setting: str) -> None:
        cursor = self._connected().connection.cursor()
        try:
            cursor.execute(f"PRAGMA {setting}")
        except sqlite3.Error as error:
            raise StorageFailed(f"{self.where}: the database refused ({type(error).__name__})") from error
        finally:
            cursor.close()


def put_rows(
    writing: Session, table: Table, rows: Sequence[dict[str, Any]], *keys: str, replaced: tuple[str, ...] = ()
) -> None:
    """Insert; a row whose `keys` are there stays as it is, but for what is `replaced`."""
    if not rows:
        return
    statement = inserting(writing.dialect, table)
    if replaced:
        changes = {name: statement.excluded[name] for name in replaced}
        writing.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), rows)
    else:
        writing.execute(statement.on_conflict_do_nothing(index_elements=keys), rows)
