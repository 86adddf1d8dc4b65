"""The policy editions that events of the store were judged by: noted with the events, whoever appends them.

Workers may have different policy documents for a while, so an edition's events need not lie together.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from services.engine.sql.database import inserting
from services.engine.sql.session import Executing
from services.engine.sql.tables import EDITIONS


def note_editions(writing: Executing, dialect: str, editions: Collection[str]) -> None:
    """Note them, in the transaction of their events; those that are noted stay as they are."""
    if editions:
        # In one order, so that two transactions never wait for each other.
        rows = [{"edition": edition} for edition in sorted(editions)]
        writing.execute(inserting(dialect, EDITIONS).on_conflict_do_nothing(), rows)


def noted_editions(connection: Connection) -> list[str]:
    """All of them; their names begin with a date, by which they are ordered."""
    return list(connection.execute(select(EDITIONS.c.edition).order_by(EDITIONS.c.edition)).scalars())
