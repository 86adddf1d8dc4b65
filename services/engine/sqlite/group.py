"""One group of works in one transaction of the writing connection: run each, store, commit. Synchronous."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from services.engine.ports import Alertable
from services.engine.sqlite.database import CommitMark
from services.engine.sqlite.failure import is_storage_failure, storage_failed
from services.engine.sqlite.outbox import alertables
from services.engine.sqlite.transaction import SqliteTransaction
from services.engine.transaction import Transaction

Hook = Callable[[], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit means to those who wait."""

    told: list[Alertable]
    """Its transitions."""
    earliest: datetime | None
    """The earliest deadline of the links it put."""


class Group:
    """The transaction of the writing connection, for one group after the other."""

    def __init__(self, connection: sqlite3.Connection, path: Path, mark: CommitMark) -> None:
        self._connection = connection
        self._path = path
        self._mark = mark
        self._transaction = SqliteTransaction(connection, writable=True)
        self._changes = 0

    @property
    def events(self) -> int:
        """Events appended so far."""
        return self._transaction.events.waiting

    def begin(self) -> None:
        """Begin; raises `StorageFailed`."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise storage_failed(error, self._path) from error
        self._changes = self._connection.total_changes

    def run(self, work: Callable[[Transaction], Any]) -> Any:
        """Run one work and return its result.

        When it raises, what it wrote is undone and the exception goes on. A refusal of the disk becomes
        `StorageFailed`, and then the group is to be given up.
        """
        try:
            result = work(self._transaction)
            self._transaction.settle()
        except BaseException as error:
            if is_storage_failure(error) or not self._connection.in_transaction:
                raise storage_failed(error, self._path) from error
            try:
                self._transaction.take_back()
            except sqlite3.Error as failed:
                raise storage_failed(failed, self._path) from failed
            raise
        return result

    def commit(self, hooks: Sequence[Hook]) -> Committed:
        """Store what the works wrote and commit; returns what others are waiting for once it is durable.

        Raises `StorageFailed` for whatever went wrong, with the group given up.
        """
        try:
            told, earliest = self._transaction.flush()
            for hook in hooks:
                hook()
            number = self._count()
            self._connection.execute("COMMIT")
        except BaseException as error:
            self.give_up()
            raise storage_failed(error, self._path) from error
        if number is not None:
            self._note(number)
        return Committed(alertables(told, monotonic()), earliest)

    def give_up(self) -> None:
        """Undo the whole group; raises `StorageFailed` when even that is refused."""
        self._transaction.forget()
        if self._connection.in_transaction:  # SQLite has already rolled back after some failures
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise storage_failed(error, self._path) from error

    def _note(self, number: int) -> None:
        """Write the commit mark. The commit is durable whatever becomes of that: a mark may lag, and the next commit
        writes it again."""
        try:
            self._mark.write(number)
        except OSError as error:
            _log.warning("the commit mark beside %s could not be written: %s", self._path, error.strerror)

    def _count(self) -> int | None:
        """Count this commit, so that its loss would be noticed; None when the group wrote nothing."""
        if self._connection.total_changes == self._changes:
            return None
        number: int = self._connection.execute("UPDATE commits SET number = number + 1 RETURNING number").fetchone()[0]
        return number
