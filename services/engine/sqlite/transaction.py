"""The stores of one connection. Implements `services.engine.transaction.Transaction`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from services.engine.sqlite.api_keys import SqliteApiKeys
from services.engine.sqlite.audit import SqliteAudit
from services.engine.sqlite.case_index import SqliteCaseIndex
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.events import SqliteEvents
from services.engine.sqlite.links import SqliteLinks
from services.engine.sqlite.outbox import SqliteOutbox, Told
from services.engine.sqlite.quarantine import SqliteQuarantine
from services.engine.sqlite.rewriting import SqliteRewriting
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.views import SqliteViews


class SqliteTransaction:
    """The stores, for one work after the other; lives as long as its connection."""

    def __init__(self, looking: Executing, claiming: Executing, *, writable: bool) -> None:
        """`looking`: where what is on disk is read; `claiming`: the connection of stores that write at once.
        `writable` False: for queries; whatever would write raises `TypeError`."""
        self._savepoint = Savepoint(claiming, writable=writable)
        self._case_numbers = CaseNumbers(looking, writable=writable)
        self.events = SqliteEvents(looking, self._case_numbers, writable=writable)
        self.views = SqliteViews(looking, self._case_numbers, writable=writable)
        self.links = SqliteLinks(looking, self._case_numbers, writable=writable)
        self.deadlines = self.links
        self.outbox = SqliteOutbox(looking, writable=writable)
        self.cases = SqliteCaseIndex(claiming, self._case_numbers, self._savepoint)
        self.quarantine = SqliteQuarantine(claiming, self._savepoint)
        self.api_keys = SqliteApiKeys(claiming, self._savepoint)
        self.audit = SqliteAudit(claiming, self._savepoint)
        self.rewriting = SqliteRewriting(
            claiming, self._case_numbers, self.events, self.links, self.views, self._savepoint
        )
        self._buffered = (self._case_numbers, self.events, self.links, self.outbox, self.views)

    def settle(self) -> None:
        """The current work succeeded."""
        self._savepoint.settle()
        for store in self._buffered:
            store.settle()

    def take_back(self) -> None:
        """The current work failed: everything as it was before it."""
        self._savepoint.take_back()
        for store in self._buffered:
            store.take_back()

    def hand_over(self) -> None:
        """The group is complete: what it wrote is to be stored, and the next one begins."""
        for store in self._buffered:
            store.hand_over()

    def store(self, writing: sqlite3.Connection) -> tuple[list[Told], datetime | None]:
        """Store what was handed over; returns its transitions, and the earliest deadline of its links."""
        self._case_numbers.store(writing)
        self.events.store(writing)
        earliest = self.links.store(writing)
        return self.outbox.store(writing), earliest

    def landed(self) -> None:
        """What was handed over is on disk."""
        for store in self._buffered:
            store.landed()

    def forget(self) -> None:
        """A group failed: what is in memory may not be on disk."""
        self._savepoint.forget()
        for store in self._buffered:
            store.forget()
