"""The stores of one connection. Implements `services.engine.transaction.Transaction`."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from services.engine.sqlite.api_keys import SqliteApiKeys
from services.engine.sqlite.audit import SqliteAudit
from services.engine.sqlite.case_index import SqliteCaseIndex
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.events import SqliteEvents
from services.engine.sqlite.links import SqliteLinks
from services.engine.sqlite.outbox import SqliteOutbox, Told
from services.engine.sqlite.quarantine import SqliteQuarantine
from services.engine.sqlite.rewriting import SqliteRewriting
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.views import SqliteViews


class SqliteTransaction:
    """The stores, for one work after the other; lives as long as its connection."""

    def __init__(self, connection: sqlite3.Connection, *, writable: bool) -> None:
        """`writable` False: for queries; whatever would write raises `TypeError`."""
        self._savepoint = Savepoint(connection, writable=writable)
        self._case_numbers = CaseNumbers(connection, writable=writable)
        self.events = SqliteEvents(connection, self._case_numbers, writable=writable)
        self.views = SqliteViews(connection, self._case_numbers, writable=writable)
        self.links = SqliteLinks(connection, self._case_numbers, writable=writable)
        self.deadlines = self.links
        self.outbox = SqliteOutbox(connection, writable=writable)
        self.cases = SqliteCaseIndex(connection, self._case_numbers, self._savepoint)
        self.quarantine = SqliteQuarantine(connection, self._savepoint)
        self.api_keys = SqliteApiKeys(connection, self._savepoint)
        self.audit = SqliteAudit(connection, self._savepoint)
        self.rewriting = SqliteRewriting(
            connection, self._case_numbers, self.events, self.links, self.views, self._savepoint
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

    def flush(self) -> tuple[list[Told], datetime | None]:
        """Store what the group wrote; returns its transitions, and the earliest deadline of the links it put."""
        self._case_numbers.flush()
        self.events.flush()
        earliest = self.links.flush()
        told = self.outbox.flush()
        self.views.flush()
        return told, earliest

    def forget(self) -> None:
        """The group failed: what is in memory may not be on disk."""
        self._savepoint.forget()
        for store in self._buffered:
            store.forget()
