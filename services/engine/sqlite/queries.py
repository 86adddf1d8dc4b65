"""Links, log and counts, for people and commands. Implements `Links`, `Log`, `Counts` of `services.engine.ports`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ccr_events.core.codec import decode_link
from ccr_events.core.model import Link
from services.engine.ports import Figures, LinkCount, LogRecord
from services.engine.sqlite.events import last_position
from services.engine.sqlite.ids import EVENT_IDS, find_rows
from services.engine.sqlite.outbox import last_seq
from services.engine.sqlite.readers import Readers
from services.engine.sqlite.schema import read_instant

MAX_LINKS = 5_000
"""Links one query returns at most, whatever is asked."""
MAX_RECORDS = 10_000
"""Log records one query returns at most."""
MAX_KNOWN = 1_000
"""Event ids one query looks up at most."""


class SqliteLinkQueries:
    """Current links."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def link(self, link_id: str) -> Link | None:
        """One link."""
        return await self._readers.run(lambda tx: tx.links.get(link_id))

    async def links(
        self,
        *,
        agency: str | None = None,
        case_id: str | None = None,
        open_only: bool = True,
        limit: int = 200,
    ) -> list[Link]:
        """Links, most urgent (earliest due) first, those without a deadline last.

        `case_id` finds the links the case holds now, also those a merge brought it.
        """
        conditions: list[tuple[str, str]] = []
        if agency is not None:
            conditions.append(("agency = ?", agency))
        if case_id is not None:
            conditions.append(("held_by = (SELECT number FROM cases WHERE case_id = ?)", case_id))
        where = " AND ".join([text for text, _ in conditions] + (["open = 1"] if open_only else []))
        values = [value for _, value in conditions]
        query = (
            f"SELECT body FROM links {'WHERE ' if where else ''}{where} "  # noqa: S608
            "ORDER BY due_at IS NULL, due_at, link_id LIMIT ?"
        )

        def ask(connection: sqlite3.Connection) -> list[Link]:
            rows = connection.execute(query, (*values, max(0, min(limit, MAX_LINKS))))
            return [decode_link(body) for (body,) in rows]

        return await self._readers.select(ask)


class SqliteLog:
    """The log of events."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
        """Records after a position, oldest first."""

        def ask(connection: sqlite3.Connection) -> list[LogRecord]:
            rows = connection.execute(
                "SELECT position, event_id, case_id, body FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (after, max(0, min(limit, MAX_RECORDS))),
            )
            return [LogRecord(*row) for row in rows]

        return await self._readers.select(ask)

    async def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest first."""
        return await self._readers.run(lambda tx: tx.events.of_case(case_id))

    async def known(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids (at most 1,000) are on the log."""
        if len(event_ids) > MAX_KNOWN:
            raise ValueError(f"at most {MAX_KNOWN:,} event ids are looked up at once; {len(event_ids):,} were given")
        wanted = frozenset(event_ids)
        return await self._readers.select(
            lambda connection: frozenset(find_rows(connection, EVENT_IDS, "position", wanted))
        )


class SqliteCounts:
    """What operators see of the engine."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def figures(self) -> Figures:
        """Counted now, from indexes over what is open."""
        return await self._readers.select(_figures)


def _figures(connection: sqlite3.Connection) -> Figures:
    rows = connection.execute(
        "SELECT rule, agency, count(*), sum(overdue), sum(escalated), sum(pending) FROM links WHERE open = 1 "
        "GROUP BY rule, agency ORDER BY rule, agency"
    ).fetchall()
    next_at = connection.execute("SELECT min(next_at) FROM links WHERE next_at IS NOT NULL").fetchone()[0]
    waiting: int = connection.execute("SELECT count(*) FROM quarantine WHERE state = 'waiting'").fetchone()[0]
    return Figures(
        position=last_position(connection),
        outbox_seq=last_seq(connection),
        deadlines_pending=sum(row[-1] for row in rows),
        next_deadline_at=None if next_at is None else read_instant(next_at),
        quarantined=waiting,
        links=tuple(LinkCount(*row[:-1]) for row in rows),
    )
