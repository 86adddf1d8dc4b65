"""Which connection a store asks, while another thread may be storing what was written before.

The connection that writes belongs to one thread at a time. While the group before is being stored with it, works read
through a connection of their own, which sees what is committed; what is on its way there the stores still hold in
memory. A work that needs the writing connection itself waits for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol


class Executing(Protocol):
    """What stores use of a connection."""

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run one statement."""


class Looking:
    """Reads what is committed, and in a group that has the writing connection what it wrote with that."""

    __slots__ = ("execute",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute: Callable[..., sqlite3.Cursor] = connection.execute

    def through(self, connection: sqlite3.Connection) -> None:
        """From now on reads go through this one."""
        self.execute = connection.execute


class Claiming:
    """Runs everything on the writing connection, which the group claims first."""

    __slots__ = ("_claim", "_connection")

    def __init__(self, connection: sqlite3.Connection, claim: Callable[[], None]) -> None:
        """`claim` returns once the connection is this group's, with its transaction begun."""
        self._connection = connection
        self._claim = claim

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> sqlite3.Cursor:
        """Run one statement; raises `StorageFailed` when the group before failed meanwhile."""
        self._claim()
        return self._connection.execute(statement, values)
