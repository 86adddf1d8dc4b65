"""Case ids and the numbers they have inside the database. Implements nothing of the ports; other stores use it."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict

from services.engine.buffer import Buffer
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.rows import insert_rows
from services.engine.sqlite.schema import MAX_CASE_NUMBER
from services.engine.transaction import StorageFailed

CACHED_CASES = 100_000
"""Case numbers kept in memory."""


class CaseNumbers:
    """The number of every case; a new case gets the next one."""

    __slots__ = ("_cache", "_connection", "_last", "_new")

    def __init__(self, connection: Executing, *, writable: bool) -> None:
        self._connection = connection
        self._new: Buffer[str, int] = Buffer(writable=writable)
        self._cache: OrderedDict[str, int] | None = OrderedDict() if writable else None
        self._last: int | None = None

    def find(self, case_id: str) -> int | None:
        """The case's number; None for a case nobody noted."""
        number = self._new.get(case_id)
        if number is not None:
            return number
        if self._cache is not None and (number := self._cache.get(case_id)) is not None:
            self._cache.move_to_end(case_id)
            return number
        row = self._connection.execute("SELECT number FROM cases WHERE case_id = ?", (case_id,)).fetchone()
        if row is None:
            return None
        self._keep(case_id, row[0])
        return int(row[0])

    def of(self, case_id: str) -> int:
        """The case's number, given now when it has none."""
        number = self.find(case_id)
        if number is None:
            if self._last is None:
                self._last = self._connection.execute("SELECT coalesce(max(number), 0) FROM cases").fetchone()[0]
            number = self._last + len(self._new.values) + 1
            if number > MAX_CASE_NUMBER:
                raise StorageFailed(f"the database is full: it numbers at most {MAX_CASE_NUMBER:,} cases")
            self._new.put(case_id, number)
        return number

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._last = None if self._last is None else self._last + len(self._new.values)
        self._new.hand_over()

    def store(self, writing: sqlite3.Connection) -> None:
        """Store the cases that were handed over."""
        rows = [(number, case_id) for case_id, number in self._new.handed.items()]
        insert_rows(writing, "INSERT INTO cases (number, case_id)", rows)

    def landed(self) -> None:
        """See `Buffer.landed`."""
        for case_id, number in self._new.handed.items():
            self._keep(case_id, number)
        self._new.landed()

    def forget(self) -> None:
        """The group failed: what is in memory may not be on disk."""
        self._new.clear()
        self._last = None
        if self._cache is not None:
            self._cache.clear()

    def _keep(self, case_id: str, number: int) -> None:
        if self._cache is not None:
            self._cache[case_id] = number
            if len(self._cache) > CACHED_CASES:
                self._cache.popitem(last=False)
