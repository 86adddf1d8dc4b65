"""Groups of works, each in one transaction of the writing connection: run each work, store, commit. Synchronous."""

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
from services.engine.sqlite.connections import Claiming, Looking
from services.engine.sqlite.database import CommitMark
from services.engine.sqlite.failure import is_storage_failure, storage_failed
from services.engine.sqlite.outbox import alertables
from services.engine.sqlite.transaction import SqliteTransaction
from services.engine.transaction import StorageFailed, Transaction

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
    """The groups of one writing connection, one after the other: run in one thread, and stored there or in another.

    While a group is being stored, the next one runs beside it, without the writing connection: it reads through one of
    its own and keeps in memory what it writes. `claim` is how it gets the connection when it needs it.
    """

    def __init__(
        self, connection: sqlite3.Connection, reading: sqlite3.Connection, path: Path, mark: CommitMark
    ) -> None:
        """`reading`: a second connection, that sees what is committed."""
        self._connection = connection
        self._reading = reading
        self._path = path
        self._mark = mark
        self._looking = Looking(connection)
        self._transaction = SqliteTransaction(self._looking, Claiming(connection, self.claim), writable=True)
        self._land: Callable[[], None] = _nothing_flies
        self._claimed = False
        self._changes = 0

    @property
    def events(self) -> int:
        """Events appended so far."""
        return self._transaction.events.waiting

    def begin(self, land: Callable[[], None] | None = None) -> None:
        """Begin; raises `StorageFailed`. While another group is being stored, `land` waits for that, calls `landed`,
        and raises `StorageFailed` when it failed."""
        self._claimed = False
        if land is None:
            self.claim()
        else:
            self._land = land
            self._looking.through(self._reading)

    def claim(self) -> None:
        """Make the writing connection this group's, and begin its transaction; raises `StorageFailed`."""
        if self._claimed:
            return
        land, self._land = self._land, _nothing_flies
        land()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise storage_failed(error, self._path) from error
        self._looking.through(self._connection)
        self._changes = self._connection.total_changes
        self._claimed = True

    def run(self, work: Callable[[Transaction], Any]) -> Any:
        """Run one work and return its result.

        When it raises, what it wrote is undone and the exception goes on. A refusal of the disk becomes
        `StorageFailed`, and then the group is to be given up.
        """
        try:
            result = work(self._transaction)
            self._transaction.settle()
        except BaseException as error:
            ended = self._claimed and not self._connection.in_transaction
            if is_storage_failure(error) or isinstance(error, StorageFailed) or ended:
                raise storage_failed(error, self._path) from error
            try:
                self._transaction.take_back()
            except sqlite3.Error as failed:
                raise storage_failed(failed, self._path) from failed
            raise
        return result

    def hand_over(self, hooks: Sequence[Hook]) -> None:
        """All works have run: from now on the group can be stored, and once that is under way the next one begun.

        Raises `StorageFailed` for whatever went wrong, and then the group is to be given up.
        """
        self.claim()
        try:
            for hook in hooks:
                hook()
        except BaseException as error:
            raise storage_failed(error, self._path) from error
        self._transaction.hand_over()

    def store(self) -> Committed:
        """Store what was handed over and commit; returns what others are waiting for once it is durable.

        May be called in another thread. Raises `StorageFailed` for whatever went wrong, with the transaction undone;
        then everything in memory is to be given up.
        """
        try:
            told, earliest = self._transaction.store(self._connection)
            number = self._count()
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            raise storage_failed(error, self._path) from error
        if number is not None:
            self._note(number)
        return Committed(alertables(told, monotonic()), earliest)

    def landed(self) -> None:
        """What was handed over is on disk."""
        self._transaction.landed()

    def give_up(self) -> None:
        """Undo the whole group, and forget what is in memory; raises `StorageFailed` when even that is refused.
        No other group may be being stored."""
        self._land = _nothing_flies
        self._transaction.forget()
        self._roll_back()

    def _roll_back(self) -> None:
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


def _nothing_flies() -> None:
    """No other group is being stored."""
