"""What is written at once, beside the log: quarantine, keys, audit. One writer at a time, so that a chain stays a chain
and two never wait for each other; and within a group each work's share can be taken back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Executable, func, select

from services.engine.sql.session import Executing, Session

ASIDE_LOCK = 0x43435234
"""Advisory lock on PostgreSQL, held until the transaction ends. It is taken after the turn or without it."""


class Aside:
    """The writing side of those stores."""

    def __init__(self, session: Session | None) -> None:
        """None: for queries, which must not write."""
        self._session = session
        self._claimed = False

    def read_through(self, reading: Executing) -> Executing:
        """Where to read now: in a group only once nobody else writes, so that what is read still holds when the work
        writes."""
        if self._session is not None:
            self._claim(self._session)
        return reading

    def write(self, statement: Executable, parameters: Any = None) -> None:
        """Run one statement; raises `TypeError` in a query, which must not write."""
        if self._session is None:
            raise TypeError("a query must not write: hand the work to Writer.write")
        self._claim(self._session)
        self._session.save()
        self._session.execute(statement, parameters)

    @property
    def dialect(self) -> str:
        """Of the database that is written; raises `TypeError` in a query."""
        if self._session is None:
            raise TypeError("a query must not write: hand the work to Writer.write")
        return self._session.dialect

    def ended(self) -> None:
        """The transaction is over, and the lock with it."""
        self._claimed = False

    def _claim(self, session: Session) -> None:
        if not self._claimed and session.dialect == "postgresql":  # SQLite's transactions write one after the other
            session.execute(select(func.pg_advisory_xact_lock(ASIDE_LOCK)))
        self._claimed = True
