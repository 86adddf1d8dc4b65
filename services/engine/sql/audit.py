"""Hash-chained record of reads of sealed fields. Implements `services.engine.transaction.AuditLog`."""

from __future__ import annotations

from sqlalchemy import insert, select

from services.engine.audit_chain import FIRST_HEAD, chained
from services.engine.sql.aside import Aside
from services.engine.sql.session import Executing
from services.engine.sql.tables import AUDIT


class SqlAudit:
    """The chain; each head is over the one before it, so an entry cannot be changed or dropped unnoticed."""

    def __init__(self, reading: Executing, aside: Aside) -> None:
        self._reading = reading
        self._aside = aside

    def append(self, entry: bytes) -> str:
        """Append; returns the new head."""
        query = select(AUDIT.c.number, AUDIT.c.head).order_by(AUDIT.c.number.desc()).limit(1)
        row = self._aside.read_through(self._reading).execute(query).one_or_none()
        number, before = (0, FIRST_HEAD) if row is None else row
        head = chained(before, entry)
        self._aside.write(insert(AUDIT), {"number": number + 1, "head": head, "entry": entry})
        return head

    def entries(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """(number, head, entry), oldest first."""
        query = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(limit)
        return [(row.number, row.head, bytes(row.entry)) for row in self._reading.execute(query)]
