"""The log, and the facts of each case beside it. Implements `services.engine.transaction.EventStore`."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from ccr_events.core.model import Fact
from ccr_events.envelope import read_fact
from services.engine.buffer import Buffer
from services.engine.ports import LogRecord
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.ids import EVENT_IDS, IdIndex, find_row, find_rows
from services.engine.sqlite.rows import Row, insert_rows
from services.engine.sqlite.schema import MAX_POSITION, POSITION_BITS
from services.engine.transaction import NewRecord, StorageFailed, StoredEvent

_COLUMNS = "position, event_id, case_id, body"
_FOUND = "position, case_id, digest, alerting"


class SqliteEvents:
    """Appends are kept until the group is flushed; positions have no gaps."""

    __slots__ = ("_cases", "_connection", "_expected", "_ids", "_last", "_new")

    def __init__(self, connection: Executing, cases: CaseNumbers, *, writable: bool) -> None:
        self._connection = connection
        self._cases = cases
        self._ids = IdIndex(EVENT_IDS)
        self._new: Buffer[str, tuple[int, int, NewRecord]] = Buffer(writable=writable)
        """Event id → (position, case number, record), in order of position."""
        self._expected: dict[str, Row | None] = {}
        self._last: int | None = None

    @property
    def waiting(self) -> int:
        """Events that the current group appended."""
        return len(self._new.values)

    def find(self, event_id: str) -> StoredEvent | None:
        """Whether the id is on the log."""
        new = self._new.get(event_id)
        if new is not None:
            position, _, record = new
            return StoredEvent(position, record.fact.case_id, record.digest, record.alerting)
        if event_id in self._expected:
            row = self._expected[event_id]
        else:
            row = find_row(self._connection, EVENT_IDS, _FOUND, event_id)
        if row is None:
            return None
        position, case_id, digest, alerting = row
        return StoredEvent(position, case_id, digest, bool(alerting))

    def expect(self, event_ids: Collection[str]) -> None:
        """See `EventStore.expect`. Nobody else writes, so what is not on disk now is not during this work."""
        wanted = {event_id for event_id in event_ids if self._new.get(event_id) is None}
        found = find_rows(self._connection, EVENT_IDS, _FOUND, wanted)
        self._expected |= {event_id: found.get(event_id) for event_id in wanted}

    def append(self, record: NewRecord) -> int:
        """Append; returns the position."""
        if self._last is None:
            self._last = last_position(self._connection)
        position = self._last + len(self._new.values) + 1
        if position > MAX_POSITION:
            raise StorageFailed(f"the log is full: it holds at most {MAX_POSITION:,} events")
        if self._new.get(record.fact.id) is not None:
            raise ValueError(f"event {record.fact.id} is already on the log; ask find() before appending")
        self._new.put(record.fact.id, (position, self._cases.of(record.fact.case_id), record))
        return position

    def get(self, event_id: str) -> LogRecord | None:
        """One stored event."""
        new = self._new.get(event_id)
        if new is not None:
            return _record(new[0], new[2])
        row = find_row(self._connection, EVENT_IDS, _COLUMNS, event_id)
        return None if row is None else LogRecord(*row)

    def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest position first."""
        number = self._cases.find(case_id)
        if number is None:
            return []
        rows = self._connection.execute(
            "SELECT position, event_id, case_id, events.body FROM facts "  # noqa: S608
            f"JOIN events ON position = key & {MAX_POSITION} WHERE key BETWEEN ? AND ? ORDER BY key",
            case_range(number),
        )
        found = {row[0]: LogRecord(*row) for row in rows}
        found |= {position: _record(position, new) for position, n, new in self._new.all().values() if n == number}
        return [record for _, record in sorted(found.items())]

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._expected.clear()
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._expected.clear()
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._last = None if self._last is None else self._last + len(self._new.values)
        self._new.hand_over()

    def store(self, writing: sqlite3.Connection) -> None:
        """Store the events that were handed over."""
        new = self._new.handed.values()
        insert_rows(
            writing,
            "INSERT INTO events (position, event_id, case_id, digest, alerting, body)",
            [(p, r.fact.id, r.fact.case_id, r.digest, r.alerting, r.body) for p, _, r in new],
        )
        keys = sorted(n << POSITION_BITS | p for p, n, _ in new)
        insert_rows(writing, "INSERT INTO facts (key)", [(key,) for key in keys])
        self._ids.add(writing, [(r.fact.id, p) for p, _, r in new])

    def landed(self) -> None:
        """See `Buffer.landed`."""
        self._new.landed()

    def forget(self) -> None:
        """The group failed: count anew from what is on disk."""
        self._new.clear()
        self._expected.clear()
        self._ids.forget()
        self._last = None


def last_position(connection: Executing) -> int:
    """Newest log position; 0 when the log is empty."""
    found: int = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()[0]
    return found


def case_range(number: int) -> tuple[int, int]:
    """First and last possible `facts.key` of a case."""
    return number << POSITION_BITS, number << POSITION_BITS | MAX_POSITION


def stored_facts(connection: Executing, number: int) -> dict[str, Fact]:
    """The facts of a case by event id, as they are on disk."""
    rows = connection.execute(
        f"SELECT body FROM facts JOIN events ON position = key & {MAX_POSITION} "  # noqa: S608
        "WHERE key BETWEEN ? AND ? ORDER BY key",
        case_range(number),
    )
    facts = [read_fact(body) for (body,) in rows]
    return {fact.id: fact for fact in facts}


def _record(position: int, record: NewRecord) -> LogRecord:
    return LogRecord(position, record.fact.id, record.fact.case_id, record.body)
