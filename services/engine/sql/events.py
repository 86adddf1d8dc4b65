"""The log. Implements `services.engine.transaction.EventStore`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select

from services.engine.buffer import Buffer
from services.engine.ports import LogRecord
from services.engine.sql.answers import Answers
from services.engine.sql.editions import note_editions
from services.engine.sql.outgoing import OutgoingRecord
from services.engine.sql.session import Executing, Session
from services.engine.sql.tables import COUNTERS, EVENTS, UNSENT
from services.engine.sql.turn import EVENTS_COUNTER, Turn
from services.engine.transaction import NewRecord, StoredEvent

AT_ONCE = 500
"""Ids looked up by one statement."""
_RECORD = (EVENTS.c.position, EVENTS.c.event_id, EVENTS.c.case_id, EVENTS.c.body)
_FOUND = (EVENTS.c.position, EVENTS.c.case_id, EVENTS.c.digest, EVENTS.c.alerting)
# Made once: to make a statement costs more than to run it.
_KNOWN = select(EVENTS.c.event_id, *_FOUND).where(EVENTS.c.event_id.in_(bindparam("some", expanding=True)))
_COUNT = select(func.count()).select_from(EVENTS).where(EVENTS.c.case_id == bindparam("a_case"))


class SqlEvents:
    """Appends are kept until the group is stored; positions have no gaps.

    In a group, looking for an id is the first step of a decision: it takes the turn. Reading an event does not.
    """

    def __init__(self, reading: Executing, turn: Turn | None) -> None:
        """`turn` None: for queries, which must not write."""
        self._reading = reading
        self._turn = turn
        self._new: Buffer[str, tuple[int, NewRecord]] = Buffer(writable=turn is not None)
        """Event id → (position, record), in order of position."""
        self._newest: datetime | None = None
        """Newest instant of the new ones."""
        self._expected: dict[str, StoredEvent | None] = {}
        self._appended: Counter[str] = Counter()
        """By case, how many of the new ones."""
        self._counts: Answers[str, int] = Answers()
        """Events of a case that are stored. What a projection adds meanwhile is not counted."""
        self._noted: set[str] = set()
        """Policy editions that are known to be noted."""

    @property
    def waiting(self) -> int:
        """Events that the current group appended."""
        return len(self._new.values)

    def find(self, event_id: str) -> StoredEvent | None:
        """Whether the id is on the log."""
        if self._turn is not None:
            self._turn.claim()
        new = self._new.get(event_id)
        if new is not None:
            position, record = new
            return StoredEvent(position, record.fact.case_id, record.digest, record.alerting)
        if event_id not in self._expected:
            self.expect((event_id,))
        return self._expected[event_id]

    def expect(self, event_ids: Collection[str]) -> None:
        """See `EventStore.expect`. In a turn nobody else appends, so what is not there now is not during this work."""
        if self._turn is not None:
            self._turn.claim()
        wanted = [event_id for event_id in dict.fromkeys(event_ids) if self._new.get(event_id) is None]
        for first in range(0, len(wanted), AT_ONCE):
            page = wanted[first : first + AT_ONCE]
            rows = self._reading.execute(_KNOWN, {"some": page})
            found = {row[0]: StoredEvent(*row[1:]) for row in rows}
            self._expected |= {event_id: found.get(event_id) for event_id in page}

    def append(self, record: NewRecord) -> int:
        """Append; returns the position."""
        if self._turn is None:
            raise TypeError("a query must not write: hand the work to Writer.write")
        position = self._turn.claim().position + len(self._new.values) + 1
        if self._new.get(record.fact.id) is not None:
            raise ValueError(f"event {record.fact.id} is already on the log; ask find() before appending")
        self._new.put(record.fact.id, (position, record))
        self._appended[record.fact.case_id] += 1
        self._newest = _later(self._newest, record.fact.recorded_at)
        return position

    def newest_recorded_at(self) -> datetime | None:
        """The newest instant recorded on the log; None on an empty one. In a group it takes the turn, so that nobody
        records anything between this answer and the commit."""
        if self._turn is None:
            query = select(COUNTERS.c.recorded_at).where(COUNTERS.c.name == EVENTS_COUNTER)
            stored: datetime | None = self._reading.execute(query).scalar_one()
            return stored
        return _later(self._turn.claim().recorded_at, self._newest)

    def get(self, event_id: str) -> LogRecord | None:
        """One stored event."""
        new = self._new.get(event_id)
        if new is not None:
            return _record(*new)
        row = self._reading.execute(select(*_RECORD).where(EVENTS.c.event_id == event_id)).one_or_none()
        return None if row is None else LogRecord(*row)

    def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest position first."""
        query = select(*_RECORD).where(EVENTS.c.case_id == case_id).order_by(EVENTS.c.position)
        stored = [LogRecord(*row) for row in self._reading.execute(query)]
        return stored + [_record(*new) for new in self._new.values.values() if new[1].fact.case_id == case_id]

    def count_of_case(self, case_id: str) -> int:
        """How many there are of one case; at least: those that its own moves brought may be missing."""

        def ask() -> int:
            return int(self._reading.execute(_COUNT, {"a_case": case_id}).scalar_one())

        trusted = self._turn is not None and self._turn.head is not None
        stored = self._counts.get(case_id, ask) if trusted else ask()
        return (stored or 0) + self._appended[case_id]

    @property
    def cases(self) -> Collection[str]:
        """The cases of the events that the current group appended."""
        return [case_id for case_id, count in self._appended.items() if count]

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._expected.clear()
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._expected.clear()
        self._new.take_back()
        self._appended = Counter(record.fact.case_id for _, record in self._new.values.values())
        self._newest = max((record.fact.recorded_at for _, record in self._new.values.values()), default=None)

    def store(self, writing: Session) -> list[OutgoingRecord]:
        """Store what the group appended; returns what is to be sent once it is committed."""
        new = list(self._new.values.values())
        if not new:
            return []
        writing.execute(insert(EVENTS), [event_row(position, record) for position, record in new])
        writing.execute(insert(UNSENT), [{"position": position} for position, _ in new])
        note_editions(writing, writing.dialect, self._editions() - self._noted)
        return [
            OutgoingRecord(position, r.fact.id, r.fact.case_id, r.fact.recorded_at, r.alerting, r.body)
            for position, r in new
        ]

    def landed(self) -> None:
        """What was stored is committed."""
        for case_id, count in self._appended.items():
            if (known := self._counts.known(case_id)) is not None:
                self._counts.keep(case_id, known + count)
        self._noted |= self._editions()
        self._clear()

    def forget(self) -> None:
        """The group failed."""
        self._clear()
        self.forget_answers()

    def forget_answers(self) -> None:
        """Another writer had a turn."""
        self._counts.clear()

    def _editions(self) -> set[str]:
        """Of the new ones."""
        return {record.fact.edition for _, record in self._new.values.values()}

    def _clear(self) -> None:
        self._new.clear()
        self._expected.clear()
        self._appended.clear()
        self._newest = None


def event_row(position: int, record: NewRecord) -> dict[str, Any]:
    """A row of `store_events`."""
    return {
        "position": position,
        "event_id": record.fact.id,
        "case_id": record.fact.case_id,
        "recorded_at": record.fact.recorded_at,
        "digest": record.digest,
        "alerting": record.alerting,
        "body": record.body,
    }


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return one if other is None or (one is not None and one > other) else other


def read_page(reading: Executing, after: int, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """(position, event id, case id, body) after a position, oldest first."""
    query = select(*_RECORD).where(EVENTS.c.position > after).order_by(EVENTS.c.position).limit(limit)
    return reading.execute(query).all()


def _record(position: int, record: NewRecord) -> LogRecord:
    return LogRecord(position, record.fact.id, record.fact.case_id, record.body)
