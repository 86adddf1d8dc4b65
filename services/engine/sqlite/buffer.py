"""What the current group of works wrote and has not yet stored, and how one work's share of it is taken back.

Works of a group see each other's writes here, so a work that fails costs a few dictionary steps and no savepoint,
and a group reaches the tables in a few large statements.
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Buffer(Generic[K, V]):
    """Values by key, with the undo steps of the current work. None is no value."""

    __slots__ = ("_undo", "_writable", "values")

    def __init__(self, *, writable: bool) -> None:
        self.values: dict[K, V] = {}
        self._undo: list[tuple[K, V | None]] = []
        self._writable = writable

    def put(self, key: K, value: V) -> None:
        """Keep a value; raises `TypeError` in a query, which must not write."""
        if not self._writable:
            raise TypeError("a query must not write: hand the work to Writer.write")
        self._undo.append((key, self.values.get(key)))
        self.values[key] = value

    def settle(self) -> None:
        """The current work succeeded: its writes belong to the group."""
        self._undo.clear()

    def take_back(self) -> None:
        """The current work failed: everything as it was before it."""
        while self._undo:
            key, before = self._undo.pop()
            if before is None:
                del self.values[key]
            else:
                self.values[key] = before

    def clear(self) -> None:
        """Stored, or given up with the whole group."""
        self.values.clear()
        self._undo.clear()
