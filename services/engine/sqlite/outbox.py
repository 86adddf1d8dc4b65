"""Link transitions in commit order. Implements `services.engine.transaction.Outbox`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from ccr_events.core.codec import decode_transition, encode_transition
from ccr_events.core.model import Transition
from services.engine.buffer import Buffer
from services.engine.ports import Alertable
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.rows import insert_rows
from services.engine.sqlite.schema import read_instant, stored_instant

Told = tuple[int, int, Transition, datetime, bool]
"""Seq, position of the causing event, what follows from it, when that event was recorded, whether it alerts."""


class SqliteOutbox:
    """Transitions, kept until the group is flushed; sequence numbers have no gaps."""

    __slots__ = ("_connection", "_last", "_new")

    def __init__(self, connection: Executing, *, writable: bool) -> None:
        self._connection = connection
        self._new: Buffer[int, Told] = Buffer(writable=writable)
        self._last: int | None = None

    def add(self, transitions: Sequence[Transition], *, position: int, recorded_at: datetime, alerting: bool) -> None:
        """Append what one event caused."""
        if not transitions:
            return
        if self._last is None:
            self._last = last_seq(self._connection)
        for transition in transitions:
            seq = self._last + len(self._new.values) + 1
            self._new.put(seq, (seq, position, transition, recorded_at, alerting))

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._last = None if self._last is None else self._last + len(self._new.values)
        self._new.hand_over()

    def store(self, writing: sqlite3.Connection) -> list[Told]:
        """Store the transitions that were handed over, and return them."""
        new = list(self._new.handed.values())
        insert_rows(
            writing,
            "INSERT INTO outbox (seq, position, recorded_at, alerting, body)",
            [
                (seq, position, stored_instant(recorded_at), alerting, encode_transition(transition))
                for seq, position, transition, recorded_at, alerting in new
            ],
        )
        return new

    def landed(self) -> None:
        """See `Buffer.landed`."""
        self._new.landed()

    def forget(self) -> None:
        """The group failed: count anew from what is on disk."""
        self._new.clear()
        self._last = None


def alertables(told: Sequence[Told], committed_s: float) -> list[Alertable]:
    """What was flushed, once it is committed; `committed_s` by the monotonic clock."""
    return [
        Alertable(seq, transition, recorded_at, alerting, committed_s)
        for seq, _, transition, recorded_at, alerting in told
    ]


def last_seq(connection: Executing) -> int:
    """Newest outbox position; 0 when empty."""
    found: int = connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0]
    return found


def stored_page(connection: sqlite3.Connection, after: int, limit: int) -> list[Alertable]:
    """At most `limit` transitions after a position, oldest first, as they are on disk."""
    rows = connection.execute(
        "SELECT seq, body, recorded_at, alerting FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
    )
    return [Alertable(seq, decode_transition(body), read_instant(at), bool(loud)) for seq, body, at, loud in rows]
