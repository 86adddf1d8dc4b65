"""Current links and, in step with them by construction, their pending deadlines.

A link's deadlines are the steps in its own body; the table only indexes the earliest of them (`next_at`).
Implements `LinkStore` and `DeadlineStore` of `services.engine.transaction`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from ccr_events.core.codec import decode_link, encode_link
from ccr_events.core.model import Link
from services.engine.buffer import Buffer
from services.engine.deadlines import firing_order, next_of, pending, pending_steps
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.ids import LINK_IDS, IdIndex, find_row, find_rows
from services.engine.sqlite.rows import Row, insert_rows
from services.engine.sqlite.schema import read_instant, stored_instant
from services.engine.transaction import Deadline

COLUMNS = "link_id, held_by, agency, rule, open, due_at, overdue, escalated, pending, next_at, body"
"""Of a row; see `link_row`."""
_INDEXED = "held_by, open, due_at, overdue, escalated, pending, next_at"
"""What indexes are over, and can change."""
_INSERT = f"INSERT INTO links (link_number, {COLUMNS})"
_SAID = "ON CONFLICT (link_number) DO UPDATE SET body = excluded.body"
_CHANGED = f"""{_SAID}, open = excluded.open, due_at = excluded.due_at, overdue = excluded.overdue,
    escalated = excluded.escalated, pending = excluded.pending, next_at = excluded.next_at"""
_MOVED = f"{_CHANGED}, held_by = excluded.held_by"

LinkRow = tuple[str, int, str, str, int, int | None, int, int, int, int | None, bytes]
"""A link as the table holds it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A link in the view of a case; `link` is None once it left."""

    case_number: int
    link: Link | None


class SqliteLinks:
    """Links, kept until the group is flushed."""

    __slots__ = ("_cases", "_connection", "_ids", "_last", "_new")

    def __init__(self, connection: Executing, cases: CaseNumbers, *, writable: bool) -> None:
        self._connection = connection
        self._cases = cases
        self._ids = IdIndex(LINK_IDS)
        self._last: int | None = None
        self._new: Buffer[str, _Held] = Buffer(writable=writable)

    def put(self, case_id: str, links: Iterable[Link]) -> None:
        """Insert or replace by link id; the view of `case_id` holds them."""
        number = self._cases.of(case_id)
        for link in links:
            self._new.put(link.id, _Held(number, link))

    def remove(self, case_id: str, link_ids: Iterable[str]) -> None:
        """Links that left the view of `case_id`; one that another case holds by now stays."""
        number = self._cases.of(case_id)
        for link_id in link_ids:
            if self._holder(link_id) == number:
                self._new.put(link_id, _Held(number, None))

    def get(self, link_id: str) -> Link | None:
        """One link."""
        new = self._new.get(link_id)
        if new is not None:
            return new.link
        row = find_row(self._connection, LINK_IDS, "body", link_id)
        return None if row is None else decode_link(row[0])

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Deadlines at or before `now`, ordered by (at, link id, step), at most `limit`."""
        found: list[Deadline] = []
        until = now
        for links, (body, next_at) in enumerate(self._next_stored(now)):
            if links == limit:
                # Links beyond have no deadline before this instant, so up to it the list is complete.
                until = read_instant(next_at)
                break
            found += pending(decode_link(body))
        for held in self._new.all().values():
            if held.link is not None:
                found += pending(held.link)
        found = [deadline for deadline in found if deadline.at <= until]
        found.sort(key=firing_order)
        return found[:limit]

    def next_at(self) -> datetime | None:
        """The earliest pending instant."""
        times = [next_of(held.link) for held in self._new.all().values() if held.link is not None]
        rows = self._connection.execute(
            "SELECT link_id, next_at FROM links WHERE next_at IS NOT NULL ORDER BY next_at, link_id"
        )
        times += [read_instant(at) for at in self._first_untouched(rows)]
        return min((at for at in times if at is not None), default=None)

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._new.hand_over()

    def store(self, writing: sqlite3.Connection) -> datetime | None:
        """Store the links that were handed over; returns the earliest of their deadlines."""
        held = self._new.handed
        stored = find_rows(writing, LINK_IDS, f"link_number, {_INDEXED}", held)
        for link_id, one in held.items():
            if one.link is None and link_id in stored:
                writing.execute("DELETE FROM links WHERE link_number = ?", (stored[link_id][0],))
        rows = [link_row(one.case_number, one.link) for one in held.values() if one.link is not None]
        self._put(writing, rows, stored)
        times = [next_at for *_, next_at, _ in rows if next_at is not None]
        return read_instant(min(times)) if times else None

    def landed(self) -> None:
        """See `Buffer.landed`."""
        self._new.landed()

    def forget(self) -> None:
        """The group failed: count anew from what is on disk."""
        self._new.clear()
        self._ids.forget()
        self._last = None

    def _put(self, writing: sqlite3.Connection, rows: Sequence[LinkRow], stored: Mapping[str, Row]) -> None:
        """Insert or replace by link id. What an index says is written only where it changed: an index knows no order
        of the day, so each change in it is a page of the write-ahead log."""
        if self._last is None:
            self._last = writing.execute("SELECT coalesce(max(link_number), 0) FROM links").fetchone()[0]
        new: list[Row] = []
        by_change: dict[str, list[Row]] = {_SAID: [], _CHANGED: [], _MOVED: []}
        for row in rows:
            before = stored.get(row[0])
            if before is None:
                new.append((self._last + len(new) + 1, *row))
            else:
                number, held_by, *indexed = before
                change = _MOVED if held_by != row[1] else _SAID if tuple(indexed) == row[4:-1] else _CHANGED
                by_change[change].append((number, *row))
        insert_rows(writing, _INSERT, new)
        self._ids.add(writing, [(row[1], row[0]) for row in new])
        self._last += len(new)
        for change, changed in by_change.items():
            insert_rows(writing, _INSERT, sorted(changed, key=itemgetter(0)), change)

    def _holder(self, link_id: str) -> int | None:
        new = self._new.get(link_id)
        if new is not None:
            return None if new.link is None else new.case_number
        row = find_row(self._connection, LINK_IDS, "held_by", link_id)
        return None if row is None else int(row[0])

    def _next_stored(self, now: datetime) -> Iterator[tuple[bytes, int]]:
        rows = self._connection.execute(
            "SELECT link_id, body, next_at FROM links WHERE next_at <= ? ORDER BY next_at, link_id",
            (stored_instant(now),),
        )
        for link_id, body, next_at in rows:
            if self._new.get(link_id) is None:
                yield body, next_at

    def _first_untouched(self, rows: Iterable[tuple[str, int]]) -> list[int]:
        return next(([at] for link_id, at in rows if self._new.get(link_id) is None), [])


def stored_links(connection: Executing, number: int) -> dict[str, Link]:
    """The links the view of a case holds, by link id, as they are on disk."""
    rows = connection.execute("SELECT body FROM links WHERE held_by = ?", (number,))
    links = [decode_link(body) for (body,) in rows]
    return {link.id: link for link in links}


def link_row(case_number: int, link: Link) -> LinkRow:
    """The row of a link that the view of a case holds."""
    steps = pending_steps(link)
    next_at = stored_instant(min([step.at for step in steps])) if steps else None
    due_at = link.due_at
    return (
        link.id,
        case_number,
        link.agency,
        link.rule,
        int(not link.state.ended),
        None if due_at is None else stored_instant(due_at),
        int(link.overdue),
        int(any(step.reached and step.number > 0 for step in link.steps)),
        len(steps),
        next_at,
        encode_link(link),
    )
