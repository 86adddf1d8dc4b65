"""What a data directory holds, as of one instant: for replay. Reads only, also beside the process that writes.

Facts, links and transitions are given as the bytes and rows they are, to be compared with what the log says they
should be. A replay reads the log in many short transactions, so that it never holds up the writer's checkpoints:
`Bound` is the instant all of them speak of, a position that everything up to it is settled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import orjson

from services.engine.sqlite.connections import Executing
from services.engine.sqlite.database import DATABASE, connect_reading
from services.engine.sqlite.events import last_position
from services.engine.sqlite.failure import storage_failed
from services.engine.sqlite.ids import EVENT_IDS, find_row
from services.engine.sqlite.links import COLUMNS, LinkRow
from services.engine.sqlite.outbox import last_seq
from services.engine.sqlite.schema import MAX_POSITION, POSITION_BITS
from services.engine.transaction import StorageFailed

_RECORDS = f"""
SELECT key >> {POSITION_BITS}, key & {MAX_POSITION}, event_id, case_id, alerting, body
FROM facts LEFT JOIN events ON position = key & {MAX_POSITION} WHERE key BETWEEN ? AND ? ORDER BY key"""  # noqa: S608


class StoredRecord(NamedTuple):
    """One fact, and the event it was made of. Made by the hundred thousand, so it is the row itself."""

    number: int
    """Of the case it is filed under."""
    position: int
    event_id: str | None
    """None, as all that follows, when the log has no event at the position."""
    case_id: str | None
    """Of the event, as the log has it."""
    alerting: int | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class StoredCase:
    """All that is stored of one case."""

    number: int
    case_id: str | None
    """None when facts or links are filed under a number that no case has."""
    records: list[StoredRecord]
    """Oldest position first."""
    links: dict[str, LinkRow]
    """By link id: the links its view holds, with their deadlines."""
    forward: str | None
    """The case it was merged into."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much there was when a replay began."""

    position: int
    """Newest log position."""
    cases: int
    """Largest case number."""
    events: int
    links: int
    transitions: int
    log_gapless: bool
    """Whether the log is numbered 1, 2, 3 … without gaps."""
    outbox_gapless: bool
    """Whether the outbox is numbered so, and tells of no event to come."""


class Snapshot:
    """One consistent state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def bound(self) -> Bound:
        """How much there is now."""
        position, told = last_position(self._connection), last_seq(self._connection)
        events, links, transitions = self._count("events"), self._count("links"), self._count("outbox")
        numbers = (
            self._one("SELECT coalesce(max(number), 0) FROM cases"),
            self._one("SELECT coalesce(max(key), 0) FROM facts") >> POSITION_BITS,
            self._one("SELECT coalesce(max(held_by), 0) FROM links"),
        )
        newest_told = self._one("SELECT coalesce((SELECT position FROM outbox ORDER BY seq DESC LIMIT 1), 0)")
        outbox_gapless = told == transitions and newest_told <= position
        return Bound(position, max(numbers), events, links, transitions, position == events, outbox_gapless)

    def cases(self, first: int, last: int) -> Iterator[StoredCase]:
        """All that is stored of the cases with these numbers, in their order."""
        between = (first, last)
        ids = dict(self._connection.execute("SELECT number, case_id FROM cases WHERE number BETWEEN ? AND ?", between))
        links: dict[int, dict[str, LinkRow]] = {}
        for row in self._connection.execute(f"SELECT {COLUMNS} FROM links WHERE held_by BETWEEN ? AND ?", between):  # noqa: S608
            links.setdefault(row[1], {})[row[0]] = row
        forwards = dict(
            self._connection.execute(
                "SELECT cases.case_id, into_case FROM cases JOIN forwards USING (case_id) WHERE number BETWEEN ? AND ?",
                between,
            )
        )
        records = dict(self._records(first, last))
        for number in sorted(ids.keys() | links.keys() | records.keys()):
            case_id = ids.get(number)
            yield StoredCase(
                number, case_id, records.get(number, []), links.get(number, {}), forwards.get(case_id or "")
            )

    def facts(self, first: int, last: int) -> Iterator[tuple[str, list[bytes]]]:
        """(case id, its events, oldest position first) of the cases with these numbers, in their order."""
        rows = self._connection.execute(
            f"SELECT key >> {POSITION_BITS}, cases.case_id, body FROM facts "  # noqa: S608
            f"JOIN cases ON number = key >> {POSITION_BITS} JOIN events ON position = key & {MAX_POSITION} "
            "WHERE key BETWEEN ? AND ? ORDER BY key",
            (first << POSITION_BITS, last << POSITION_BITS | MAX_POSITION),
        )
        for _, of_case in groupby(rows, itemgetter(0)):
            found = list(of_case)
            yield found[0][1], [body for _, _, body in found]

    def facts_of(self, case_id: str) -> list[bytes]:
        """The events of one case, oldest position first."""
        number = self._connection.execute("SELECT number FROM cases WHERE case_id = ?", (case_id,)).fetchone()
        return [] if number is None else next((facts for _, facts in self.facts(number[0], number[0])), [])

    def told(self, first: int, last: int) -> Iterator[tuple[int, int, int, bytes]]:
        """(position, recorded at, alerting, transition) of what the outbox tells of the events at these positions, in
        its order. Where the outbox is in order, positions never go back."""
        return self._connection.execute(
            "SELECT position, recorded_at, alerting, body FROM outbox WHERE seq >= ? AND seq < ? ORDER BY seq",
            (self._first_told(first), self._first_told(last + 1)),
        )

    def on_log(self, event_id: str) -> bool:
        """Whether the id is on the log."""
        return find_row(self._connection, EVENT_IDS, "1", event_id) is not None

    def cases_at(self, first: int, last: int) -> dict[int, str]:
        """Position → case id of the events at these positions."""
        rows = self._connection.execute(
            "SELECT position, case_id FROM events WHERE position BETWEEN ? AND ?", (first, last)
        )
        return dict(rows.fetchall())

    def number_of(self, case_id: str) -> int | None:
        """The number of a case."""
        row = self._connection.execute("SELECT number FROM cases WHERE case_id = ?", (case_id,)).fetchone()
        return None if row is None else int(row[0])

    def events_without_fact(self, until: int) -> set[str]:
        """Cases with events up to this position of which no fact is kept."""
        rows = self._connection.execute(
            "SELECT DISTINCT case_id FROM events WHERE position <= ? "  # noqa: S608
            f"AND position NOT IN (SELECT key & {MAX_POSITION} FROM facts)",
            (until,),
        )
        return {case_id for (case_id,) in rows}

    def cases_named(self, name: str, limit: int) -> list[str]:
        """Cases whose id begins with `name`, or that a number `name` points to; at most `limit`."""
        rows = self._connection.execute(
            "SELECT case_id FROM cases WHERE case_id >= ? AND case_id < ? UNION "
            "SELECT case_id FROM reference_numbers WHERE number = ? LIMIT ?",
            (name, f"{name}\U0010ffff", name, limit),
        )
        return sorted(case_id for (case_id,) in rows)

    def _records(self, first: int, last: int) -> Iterator[tuple[int, list[StoredRecord]]]:
        rows = self._connection.execute(_RECORDS, (first << POSITION_BITS, last << POSITION_BITS | MAX_POSITION))
        for number, of_case in groupby(map(StoredRecord._make, rows), itemgetter(0)):
            yield number, list(of_case)

    def _first_told(self, position: int) -> int:
        """The first place in the outbox that tells of this position or a later one, by halving."""
        low, high = 1, last_seq(self._connection) + 1
        while low < high:
            middle = (low + high) // 2
            row = self._connection.execute(
                "SELECT position FROM outbox WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
            ).fetchone()
            if row is not None and row[0] < position:
                low = middle + 1
            else:
                high = middle
        return low

    def _count(self, table: str) -> int:
        return self._one(f"SELECT count(*) FROM {table}")  # noqa: S608

    def _one(self, query: str) -> int:
        found: int = self._connection.execute(query).fetchone()[0]
        return found


@contextmanager
def open_snapshot(directory: Path) -> Iterator[Snapshot]:
    """The state of a data directory now, whether or not a process has it open.

    Raises `StorageFailed` when there is no data, or when it cannot be read.
    """
    path = _existing(directory)
    try:
        connection = connect_reading(path)
        try:
            connection.execute("BEGIN")
            yield Snapshot(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise storage_failed(error, path) from error


def check_database(directory: Path) -> None:
    """Raise `StorageFailed` when there is no data, or when the database is damaged."""
    path = _existing(directory)
    try:
        connection = connect_reading(path)
        try:
            damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise storage_failed(error, path) from error
    if damage != "ok":
        raise StorageFailed(f"{path}: it is damaged; keep its files as they are and restore the newest backup")


def positions_of(connection: Executing, case_ids: Collection[str]) -> dict[str, list[int]]:
    """Case id → the log positions of its events, oldest first, read from the log alone. Reads all of it."""
    rows = connection.execute(
        "SELECT case_id, position FROM events WHERE case_id IN (SELECT value FROM json_each(?)) ORDER BY position",
        (orjson.dumps(sorted(case_ids)).decode(),),
    )
    found: dict[str, list[int]] = {case_id: [] for case_id in case_ids}
    for case_id, position in rows:
        found[case_id].append(position)
    return found


def _existing(directory: Path) -> Path:
    path = directory / DATABASE
    if not path.is_file():
        raise StorageFailed(f"{directory}: there is no data here; name the directory with --data")
    return path
