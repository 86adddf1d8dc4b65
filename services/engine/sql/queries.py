"""Links, log and counts, for people and commands. Implements `Links`, `Log`, `Counts` of `services.engine.ports`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, case, exists, func, select

from ccr_events.core.codec import decode_link
from ccr_events.core.model import Link
from services.engine.ports import Figures, LinkCount, LogRecord
from services.engine.sql.editions import noted_editions
from services.engine.sql.events import read_page
from services.engine.sql.links import bodies
from services.engine.sql.readers import Readers
from services.engine.sql.tables import COUNTERS, EVENTS, LINKS, QUARANTINE, UNSENT
from services.engine.sql.turn import EVENTS_COUNTER, OUTBOX_COUNTER

MAX_LINKS = 5_000
"""Links one query returns at most, whatever is asked."""
MAX_RECORDS = 10_000
"""Log records one query returns at most."""
MAX_KNOWN = 1_000
"""Event ids one query looks up at most."""


class SqlLinkQueries:
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
        query = bodies().order_by(LINKS.c.due_at.is_(None), LINKS.c.due_at, LINKS.c.link_id)
        if agency is not None:
            query = query.where(LINKS.c.agency == agency)
        if case_id is not None:
            query = query.where(LINKS.c.held_by == case_id)
        if open_only:
            query = query.where(LINKS.c.open)
        bounded = query.limit(max(0, min(limit, MAX_LINKS)))
        return await self._readers.select(lambda c: [decode_link(body) for (body,) in c.execute(bounded)])


class SqlLog:
    """The log of events."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
        """Records after a position, oldest first."""
        bounded = max(0, min(limit, MAX_RECORDS))
        return await self._readers.select(lambda c: [LogRecord(*row) for row in read_page(c, after, bounded)])

    async def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest first."""
        return await self._readers.run(lambda tx: tx.events.of_case(case_id))

    async def known(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids (at most 1,000) are on the log."""
        if len(event_ids) > MAX_KNOWN:
            raise ValueError(f"at most {MAX_KNOWN:,} event ids are looked up at once; {len(event_ids):,} were given")
        query = select(EVENTS.c.event_id).where(EVENTS.c.event_id.in_(event_ids))
        return await self._readers.select(lambda c: frozenset(c.execute(query).scalars()))

    async def editions(self) -> list[str]:
        """Ids of the policy editions that the events were judged by."""
        return await self._readers.select(noted_editions)


class SqlCounts:
    """What operators see of the engine."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def figures(self) -> Figures:
        """Counted now, from indexes over what is open. Deadlines are those of the links as they were told last."""
        return await self._readers.select(_figures)

    async def unsent(self) -> bool:
        """Whether events are committed that are not noted as sent: on their way now, or left by a group that failed."""
        return await self._readers.select(lambda c: c.execute(select(exists(select(UNSENT.c.position)))).scalar_one())


def _figures(connection: Connection) -> Figures:
    last: dict[str, int] = dict(connection.execute(select(COUNTERS.c.name, COUNTERS.c.last)).all())
    rows: Sequence[Any] = connection.execute(
        select(LINKS.c.rule, LINKS.c.agency, func.count(), _sum(LINKS.c.overdue), _sum(LINKS.c.escalated))
        .where(LINKS.c.open)
        .group_by(LINKS.c.rule, LINKS.c.agency)
        .order_by(LINKS.c.rule, LINKS.c.agency)
    ).all()
    pending, next_at = connection.execute(
        select(func.coalesce(func.sum(LINKS.c.pending), 0), func.min(LINKS.c.next_at)).where(
            LINKS.c.next_at.is_not(None)
        )
    ).one()
    waiting = select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.state == "waiting")
    return Figures(
        position=last[EVENTS_COUNTER],
        outbox_seq=last[OUTBOX_COUNTER],
        deadlines_pending=int(pending),
        next_deadline_at=next_at,
        quarantined=connection.execute(waiting).scalar_one(),
        links=tuple(LinkCount(*row) for row in rows),
    )


def _sum(column: Any) -> Any:
    return func.sum(case((column, 1), else_=0))
