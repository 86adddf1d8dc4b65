"""What a data directory holds, as of one instant: for replay. Reads only, also beside the process that writes.
Facts, links and transitions are given as the bytes and rows they are, to be compared with what the log says they
should be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from ccr_events.core.codec import encode_transition
from ccr_events.core.model import Transition
from ccr_events.core.view import CaseView
from services.engine.sqlite.database import DATABASE, connect_reading
from services.engine.sqlite.events import case_range, last_position
from services.engine.sqlite.failure import storage_failed
from services.engine.sqlite.links import COLUMNS, LinkRow
from services.engine.sqlite.outbox import last_seq
from services.engine.sqlite.schema import MAX_POSITION, stored_instant
from services.engine.sqlite.views import load_view
from services.engine.transaction import NewRecord, StorageFailed


class Digest(Protocol):
    """A running hash (`hashlib`)."""

    def update(self, data: bytes, /) -> None:
        """Take in more."""

    def digest(self) -> bytes:
        """The hash so far."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One event of a case, and the fact kept beside it."""

    position: int
    digest: bytes
    alerting: bool
    body: bytes
    fact: bytes


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is."""

    events: int
    cases: int
    links: int
    transitions: int


class Snapshot:
    """One consistent state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def totals(self) -> Totals:
        """How much there is."""
        return Totals(self._count("events"), self._count("cases"), self._count("links"), self._count("outbox"))

    def gapless(self) -> bool:
        """Whether log and outbox are numbered 1, 2, 3 … without gaps."""
        return last_position(self._connection) == self._count("events") and last_seq(self._connection) == self._count(
            "outbox"
        )

    def cases(self) -> Iterator[tuple[int, str]]:
        """(number, case id), by number."""
        return self._connection.execute("SELECT number, case_id FROM cases ORDER BY number")

    def records(self, number: int) -> list[StoredRecord]:
        """The events of a case, oldest position first."""
        rows = self._connection.execute(
            "SELECT position, digest, alerting, events.body, facts.body FROM facts "  # noqa: S608
            f"JOIN events ON position = key & {MAX_POSITION} WHERE key BETWEEN ? AND ? ORDER BY key",
            case_range(number),
        )
        return [StoredRecord(p, digest, bool(loud), body, fact) for p, digest, loud, body, fact in rows]

    def view(self, number: int, case_id: str) -> CaseView:
        """The view of a case."""
        return load_view(self._connection, case_id, number)

    def link_rows(self, number: int) -> dict[str, LinkRow]:
        """The links the view of a case holds, with their deadlines, by link id."""
        rows = self._connection.execute(f"SELECT {COLUMNS} FROM links WHERE held_by = ?", (number,))  # noqa: S608
        return {row[0]: row for row in rows}

    def on_log(self, event_id: str) -> bool:
        """Whether the id is on the log."""
        return self._connection.execute("SELECT 1 FROM events WHERE event_id = ?", (event_id,)).fetchone() is not None

    def forward(self, case_id: str) -> str | None:
        """The case this one was merged into."""
        row = self._connection.execute("SELECT into_case FROM forwards WHERE case_id = ?", (case_id,)).fetchone()
        return None if row is None else str(row[0])

    def events_by_case(self) -> dict[str, int]:
        """Case id → how many events of it are on the log."""
        return dict(self._connection.execute("SELECT case_id, count(*) FROM events GROUP BY case_id").fetchall())

    def told(self) -> dict[str, bytes]:
        """Case id → hash of what the outbox tells about it, in order. Transitions of no event, or not in the order of
        the log, are under the empty case id."""
        running: dict[str, Digest] = {}
        rows = self._connection.execute(
            "SELECT case_id, outbox.position, recorded_at, outbox.alerting, outbox.body FROM outbox "
            "LEFT JOIN events ON events.position = outbox.position ORDER BY seq"
        )
        newest = 0
        for case_id, position, recorded_at, alerting, body in rows:
            known = case_id if case_id is not None and position >= newest else ""
            newest = max(newest, position)
            _take_in(running.setdefault(known, sha256()), position, recorded_at, alerting, body)
        return {case_id: digest.digest() for case_id, digest in running.items()}

    def _count(self, table: str) -> int:
        found: int = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
        return found


@contextmanager
def open_snapshot(directory: Path) -> Iterator[Snapshot]:
    """The state of a data directory now, whether or not a process has it open.

    Raises `StorageFailed` when there is no data, or when the database is damaged.
    """
    path = directory / DATABASE
    if not path.is_file():
        raise StorageFailed(f"{directory}: there is no data here; name the directory with --data")
    try:
        connection = connect_reading(path)
        try:
            connection.execute("BEGIN")
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise StorageFailed(f"{path}: it is damaged; keep its files as they are and restore the newest backup")
            yield Snapshot(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise storage_failed(error, path) from error


def tell(running: Digest, position: int, record: NewRecord, transition: Transition) -> None:
    """Take a transition into a running hash, as `Snapshot.told` takes in what is stored of it."""
    recorded_at = stored_instant(record.fact.recorded_at)
    _take_in(running, position, recorded_at, record.alerting, encode_transition(transition))


def new_digest() -> Digest:
    """A running hash that has taken in nothing."""
    return sha256()


def _take_in(running: Digest, position: int, recorded_at: int, alerting: int, body: bytes) -> None:
    running.update(b"%d %d %d %d " % (position, recorded_at, alerting, len(body)))
    running.update(body)
