"""Hash-chained record of reads of sealed fields. Implements `services.engine.transaction.AuditLog`."""

from __future__ import annotations

from services.engine.audit_chain import FIRST_HEAD, chained
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.savepoint import Savepoint


class SqliteAudit:
    """The chain; each head is over the one before it, so an entry cannot be changed or dropped unnoticed."""

    __slots__ = ("_connection", "_savepoint")

    def __init__(self, connection: Executing, savepoint: Savepoint) -> None:
        self._connection = connection
        self._savepoint = savepoint

    def append(self, entry: bytes) -> str:
        """Append; returns the new head."""
        row = self._connection.execute("SELECT head FROM audit ORDER BY number DESC LIMIT 1").fetchone()
        head = chained(FIRST_HEAD if row is None else row[0], entry)
        self._savepoint.write("INSERT INTO audit (head, entry) VALUES (?, ?)", (head, entry))
        return head

    def entries(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """(number, head, entry), oldest first."""
        return self._connection.execute(
            "SELECT number, head, entry FROM audit WHERE number > ? ORDER BY number LIMIT ?", (after, limit)
        ).fetchall()
