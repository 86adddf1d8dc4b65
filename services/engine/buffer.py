"""What works wrote and is not yet on disk, and how one work's share of it is taken back.

Works of a group see each other's writes here, so a work that fails costs a few dictionary steps and no savepoint,
and a group reaches the tables in a few large statements. While it does, the next group already runs: what was handed
over stays visible until it has landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Buffer(Generic[K, V]):
    """Values by key, with the undo steps of the current work. None is no value."""

    __slots__ = ("_undo", "_writable", "handed", "values")

    def __init__(self, *, writable: bool) -> None:
        self.values: dict[K, V] = {}
        """Of the current group."""
        self.handed: dict[K, V] = {}
        """Of the group before, while it is being stored; nobody changes it."""
        self._undo: list[tuple[K, V | None]] = []
        self._writable = writable

    def get(self, key: K) -> V | None:
        """The newest value."""
        value = self.values.get(key)
        return self.handed.get(key) if value is None and self.handed else value

    def all(self) -> Mapping[K, V]:
        """The newest value of every key."""
        return {**self.handed, **self.values} if self.handed else self.values

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

    def hand_over(self) -> None:
        """The group is complete; the next one begins with nothing. The one before has landed."""
        self.handed, self.values = self.values, {}

    def landed(self) -> None:
        """What was handed over is on disk."""
        self.handed = {}

    def clear(self) -> None:
        """Given up, with all groups that are not on disk."""
        self.values = {}
        self.handed = {}
        self._undo.clear()
