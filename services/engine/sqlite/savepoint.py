"""Writes that go to their table at once, inside a savepoint of the current work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.engine.sqlite.connections import Executing


class Savepoint:
    """Opened by the first such write of a work, so works without any pay nothing."""

    __slots__ = ("_connection", "_open", "_undone", "_writable")

    def __init__(self, connection: Executing, *, writable: bool) -> None:
        self._connection = connection
        self._writable = writable
        self._open = False
        self._undone: list[Callable[[], None]] = []

    @property
    def writable(self) -> bool:
        """False for queries."""
        return self._writable

    def when_undone(self, call: Callable[[], None]) -> None:
        """Call it whenever writes are taken back: what was remembered of them is wrong then."""
        self._undone.append(call)

    def write(self, statement: str, values: Sequence[object]) -> None:
        """Run one statement; raises `TypeError` in a query, which must not write."""
        if not self._writable:
            raise TypeError("a query must not write: hand the work to Writer.write")
        if not self._open:
            self._connection.execute("SAVEPOINT work")
            self._open = True
        self._connection.execute(statement, values)

    def settle(self) -> None:
        """The current work succeeded."""
        if self._open:
            self._open = False
            self._connection.execute("RELEASE work")

    def take_back(self) -> None:
        """The current work failed."""
        if self._open:
            self._open = False
            self._tell()
            self._connection.execute("ROLLBACK TO work")
            self._connection.execute("RELEASE work")

    def forget(self) -> None:
        """The group failed, and its transaction is gone with every savepoint in it."""
        self._open = False
        self._tell()

    def _tell(self) -> None:
        for call in self._undone:
            call()
