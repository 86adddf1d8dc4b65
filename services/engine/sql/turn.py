"""Whose turn it is: one writer in the whole cluster decides where events belong, commits them and sends them.

A group that decides takes the turn before it reads anything, sends what an earlier one left unsent, and gives it back
once its own events are sent. On PostgreSQL it is a session's advisory lock, which is free as soon as the connection is
gone, and that is ended when its process sleeps; on SQLite a lock on a file beside the database, which is free as soon
as the process is gone. What a sleeper sends once it wakes, the next one has sent already.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import delete, exists, func, select

from services.engine.sql.absent import NotInThisStore
from services.engine.sql.database import LOCK_TIMEOUT_S, SILENT_S
from services.engine.sql.outgoing import SENT_AT_ONCE, Outgoing, OutgoingRecord
from services.engine.sql.session import Session
from services.engine.sql.tables import COUNTERS, EVENTS, UNSENT
from services.engine.transaction import StorageFailed

TURN_LOCK = 0x43435233
"""Advisory lock on PostgreSQL."""
EVENTS_COUNTER, OUTBOX_COUNTER = "events", "outbox"
"""Rows of `store_counters`."""
_POLL_S = 0.002

_log = logging.getLogger(__name__)


class TurnNeeded(BaseException):
    """A work needs the turn after others of its group have run: it begins the next group. Not an `Exception`, so that
    no work takes it for a failure of its own."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest of the log when the turn began; nobody else appends until this transaction ends."""

    position: int
    recorded_at: datetime | None
    """Newest instant that intake recorded."""


class TurnLock(Protocol):
    """How the others are kept waiting."""

    def take(self) -> None:
        """Wait for it; raises `StorageFailed` or what the database raises."""

    def give_back(self) -> None:
        """Let the next one in."""

    def drop(self) -> None:
        """Let go of it after a failure; the connection is gone already."""


class Turn:
    """The writer's own view of it."""

    def __init__(
        self, session: Session, lock: TurnLock, outgoing: Outgoing | None, began: Callable[[bool], None]
    ) -> None:
        """Without `outgoing` the turn is never taken: what is decided could not be sent. `began` is called when it is,
        and told whether no other writer had one since: then what was read in the turn before still holds."""
        self._session = session
        self._began = began
        self._lock = lock
        self._outgoing = outgoing
        self._head: Head | None = None
        self._relay_told = False
        """Whether it was said that something waits, since it last could be sent."""
        self.owner = str(uuid4())
        """This writer's name among all."""

    @property
    def head(self) -> Head | None:
        """While it is this writer's turn."""
        return self._head

    def claim(self) -> Head:
        """Take the turn if it is not this writer's yet.

        Raises `TurnNeeded` when the transaction has begun without it, `NotInThisStore` when this store was opened
        without a way to send, and `StorageFailed` when what an earlier group left cannot be sent.
        """
        if self._head is not None:
            return self._head
        if self._outgoing is None:
            raise NotInThisStore("this store was opened without a way to send events: only intake takes them in")
        if self._session.used:
            raise TurnNeeded
        self._lock.take()
        head, continued = self._look()
        self._head = head
        self._began(continued)
        return head

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        """Send what the group committed; raises `StorageFailed`, and then it is sent first in the next turn."""
        for first in range(0, len(records), SENT_AT_ONCE):
            if first:
                self._note_sent(records[:first])
            self._send(records[first : first + SENT_AT_ONCE])

    def end(self, sent: Sequence[OutgoingRecord]) -> None:
        """Note that these were sent, and let the next writer in."""
        if self._head is None:
            return
        if sent:
            self._note_sent(sent)
        self._head = None
        self._lock.give_back()

    def drop(self) -> None:
        """Something failed and the connection was left."""
        self._head = None
        self._lock.drop()

    def _look(self) -> tuple[Head, bool]:
        query = (
            select(COUNTERS.c.last, COUNTERS.c.owner, COUNTERS.c.recorded_at, exists(select(UNSENT.c.position)))
            .where(COUNTERS.c.name == EVENTS_COUNTER)
            .with_for_update()
        )
        while True:
            last, owner, recorded_at, unsent = self._session.execute(query).one()
            if not unsent:
                return Head(last, recorded_at), owner == self.owner
            self._relay()

    def _relay(self) -> None:
        """Send a page of what is committed and was not noted as sent."""
        rows = self._session.execute(
            select(
                EVENTS.c.position,
                EVENTS.c.event_id,
                EVENTS.c.case_id,
                EVENTS.c.recorded_at,
                EVENTS.c.alerting,
                EVENTS.c.body,
            )
            .join(UNSENT, UNSENT.c.position == EVENTS.c.position)
            .order_by(EVENTS.c.position)
            .limit(SENT_AT_ONCE)
        )
        page = [OutgoingRecord(*row) for row in rows]
        self._session.commit()
        if not self._relay_told:  # while Kafka is away, each group tries it again
            _log.warning("%d events of an earlier group were not sent; they are sent now", len(page))
            self._relay_told = True
        self._send(page)
        self._note_sent(page)
        self._relay_told = False

    def _send(self, records: Sequence[OutgoingRecord]) -> None:
        assert self._outgoing is not None  # noqa: S101  # the turn is not taken without
        try:
            self._outgoing.send(records)
        except Exception as error:
            raise StorageFailed(
                f"Kafka did not take {len(records)} events ({type(error).__name__}); they are kept and are sent first "
                "as soon as it does: see ccr kafka status, then send again"
            ) from error

    def _note_sent(self, records: Sequence[OutgoingRecord]) -> None:
        """Losing this costs a second send, no more."""
        positions = [record.position for record in records]
        between = UNSENT.c.position.between(positions[0], positions[-1])
        self._session.run_lightly(delete(UNSENT).where(between))


class SessionLock:
    """On PostgreSQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self) -> None:
        """Wait, at most as long as the connection's `lock_timeout`."""
        self._session.execute(select(func.pg_advisory_lock(TURN_LOCK), _silence(SILENT_S)))

    def give_back(self) -> None:
        """Free it."""
        self._session.execute(select(func.pg_advisory_unlock(TURN_LOCK), _silence(0)))
        self._session.commit()

    def drop(self) -> None:
        """The server freed it with the connection."""


class FileLock:
    """On SQLite: beside the database, so that whoever reads or projects never waits for it.

    Who waits stands in a gate, a second lock. A busy worker that wants its next turn has to pass the gate as well, so
    it cannot take turn after turn while another one waits.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Wait, at most `LOCK_TIMEOUT_S`."""
        until_s = monotonic() + LOCK_TIMEOUT_S
        gate = self._locked(f"{self._path}-gate", until_s)
        try:
            self._file = self._locked(self._path, until_s)
        finally:
            os.close(gate)

    def give_back(self) -> None:
        """Free it."""
        self.drop()

    def drop(self) -> None:
        """Free it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _locked(self, path: str, until_s: float) -> int:
        """The file, opened and locked."""
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StorageFailed(f"{path}: {error.strerror}; make it writable for this user") from error
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if monotonic() >= until_s:
                    os.close(file)
                    raise StorageFailed(
                        f"{self._path}: another worker did not give up its turn to write; see whether it still runs"
                    ) from error
                sleep(_POLL_S)
            else:
                return file


def _silence(seconds: float) -> Any:
    """Sets after how long without a word the server ends this session; 0 for never."""
    return func.set_config("idle_session_timeout", str(round(seconds * 1000)), False)
