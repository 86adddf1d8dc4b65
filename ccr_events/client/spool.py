"""The spool: events on an adapter's own disk, in order, until the backbone has them.

SQLite's write-ahead log, synced at every commit. Bodies are sealed (`spool_key`), files are private to their owner,
sent entries are deleted and overwritten. Several processes may put events in; one of them sends (`Sender`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import orjson

from ccr_events.client.spool_key import load_spool_key
from ccr_events.envelope import MAX_EVENT_BYTES
from ccr_events.key_file import FILE_MODE, sync_directory

DATABASE = "spool.db"
KEY = "spool.key"
BUSY_S = 30.0
"""Longest wait for another process that is writing."""

RefusedAs = Literal["quarantined", "conflict", "forbidden", "unreadable"]
"""What the backbone said; `unreadable` when it could not even be read as an event, or was too large."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS waiting (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, alerting INTEGER NOT NULL, put_at TEXT NOT NULL,
    body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS refused (
    seq INTEGER PRIMARY KEY, event_id TEXT NOT NULL, alerting INTEGER NOT NULL, put_at TEXT NOT NULL,
    refused_at TEXT NOT NULL, status TEXT NOT NULL, title TEXT NOT NULL, problems TEXT NOT NULL, quarantine_id TEXT,
    body BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS held (entries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
INSERT INTO held SELECT 0, 0 WHERE NOT EXISTS (SELECT * FROM held);
"""
_COUNTED = """
CREATE TRIGGER IF NOT EXISTS {table}_in AFTER INSERT ON {table} BEGIN
    UPDATE held SET entries = entries + 1, bytes = bytes + length(new.body); END;
CREATE TRIGGER IF NOT EXISTS {table}_out AFTER DELETE ON {table} BEGIN
    UPDATE held SET entries = entries - 1, bytes = bytes - length(old.body); END;
"""


class SpoolError(RuntimeError):
    """The spool cannot be used; the message says which and what to do."""


class SpoolFull(SpoolError):
    """The spool holds as much as it may: nothing was put in, nothing was dropped."""


class EventTooLarge(ValueError):
    """An event that the backbone would never take."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Most that one spool holds, waiting and refused together."""

    events: int = 200_000
    bytes: int = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event on its way."""

    seq: int
    event_id: str
    alerting: bool
    body: bytes = field(repr=False)
    """Its JSON form (CloudEvents structured mode), in clear."""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """One event that the backbone did not accept, and why. Reasons name fields and rules, never a value."""

    seq: int
    event_id: str
    status: RefusedAs
    title: str
    problems: tuple[tuple[str, str], ...]
    """(JSON pointer into the event, message)."""
    quarantine_id: str | None
    """Where the backbone keeps it for repair; None: it is kept only here."""
    refused_at: datetime
    event: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """Its JSON form, in clear."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one waiting event is refused."""

    status: RefusedAs
    title: str
    problems: tuple[tuple[str, str], ...] = ()
    quarantine_id: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """How much a spool holds."""

    waiting: int
    refused: int
    bytes: int
    oldest_at: datetime | None
    """When the first of those that wait was put in."""


class Spool:
    """One spool, in a directory of its own. Safe to use from several threads and processes."""

    def __init__(self, directory: Path, *, key_file: Path | None = None, bounds: Bounds | None = None) -> None:
        """`key_file`: by default `spool.key` in the directory, made at the first use. Raises `SpoolError` or
        `SpoolKeyError`."""
        self.directory = directory
        self._bounds = bounds or Bounds()
        self._lock = Lock()
        path = directory / DATABASE
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            first = not path.exists()
            self._key = load_spool_key(key_file or directory / KEY, create=first)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))
            path.chmod(FILE_MODE)
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._prepare()
            if first:
                sync_directory(directory)
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None

    def close(self) -> None:
        """Let the files go."""
        with self._lock:
            self._connection.close()

    def put(self, events: Sequence[tuple[str, bytes]], *, alerting: bool = True) -> None:
        """Keep events, (id, JSON form) each, all or none; on disk when it returns.

        Raises `SpoolFull`, `EventTooLarge` or `SpoolError`.
        """
        for event_id, body in events:
            if len(body) > MAX_EVENT_BYTES:
                raise EventTooLarge(f"event {event_id} is larger than {MAX_EVENT_BYTES:,} bytes: leave attachments out")
        now = datetime.now(UTC).isoformat()
        rows = [(event_id, alerting, now, self._key.seal(body, event_id)) for event_id, body in events]
        with self._transaction() as connection:
            entries, size = connection.execute("SELECT entries, bytes FROM held").fetchone()
            if entries + len(rows) > self._bounds.events or size + sum(len(r[3]) for r in rows) > self._bounds.bytes:
                raise SpoolFull(
                    f"the spool {self.directory} is full ({entries:,} events, {size:,} bytes): nothing was put in. "
                    "See why it is not emptied with  ccr spool status  and what was refused with  ccr spool refused"
                )
            connection.executemany("INSERT INTO waiting (event_id, alerting, put_at, body) VALUES (?, ?, ?, ?)", rows)

    def first(self, events: int, size: int) -> list[Waiting]:
        """The oldest that wait, in order: at most so many, of so many bytes (one in any case), alerting all or none."""
        found: list[Waiting] = []
        taken = 0
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT seq, event_id, alerting, body FROM waiting ORDER BY seq LIMIT ?", (events,)
            )
            for seq, event_id, alerting, sealed in rows:
                taken += len(sealed)
                if found and (taken > size or bool(alerting) != found[0].alerting):
                    break
                found.append(Waiting(seq, event_id, bool(alerting), self._key.open(sealed, event_id)))
        return found

    def settle(self, done: Sequence[int], refused: Mapping[int, Refusal]) -> None:
        """Delete what has arrived, and set aside what was refused."""
        now = datetime.now(UTC).isoformat()
        with self._transaction() as connection:
            for seq, why in refused.items():
                told = (now, why.status, why.title, orjson.dumps(why.problems).decode(), why.quarantine_id, seq)
                connection.execute(
                    "INSERT OR REPLACE INTO refused SELECT seq, event_id, alerting, put_at, ?, ?, ?, ?, ?, body "
                    "FROM waiting WHERE seq = ?",
                    told,
                )
            connection.executemany("DELETE FROM waiting WHERE seq = ?", [(seq,) for seq in (*done, *refused)])

    def refused(self, limit: int = 1_000) -> list[RefusedEvent]:
        """What was refused, oldest first."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT seq, event_id, status, title, problems, quarantine_id, refused_at, body FROM refused "
                "ORDER BY seq LIMIT ?",
                (limit,),
            ).fetchall()
        return [
            RefusedEvent(
                seq,
                event_id,
                status,
                title,
                tuple((pointer, message) for pointer, message in orjson.loads(problems)),
                quarantine_id,
                datetime.fromisoformat(at),
                orjson.loads(self._key.open(sealed, event_id)),
            )
            for seq, event_id, status, title, problems, quarantine_id, at, sealed in rows
        ]

    def forget(self, seq: int) -> bool:
        """Delete one refused event; False when there is none of that number."""
        with self._transaction() as connection:
            return connection.execute("DELETE FROM refused WHERE seq = ?", (seq,)).rowcount == 1

    def again(self, seq: int) -> bool:
        """Let one refused event wait once more, as the newest; False when there is none of that number."""
        with self._transaction() as connection:
            moved = connection.execute(
                "INSERT INTO waiting (event_id, alerting, put_at, body) "
                "SELECT event_id, alerting, put_at, body FROM refused WHERE seq = ?",
                (seq,),
            ).rowcount
            connection.execute("DELETE FROM refused WHERE seq = ?", (seq,))
            return moved == 1

    def held(self) -> Held:
        """Counted now."""
        with self._reading() as connection:
            (waiting,) = connection.execute("SELECT count(*) FROM waiting").fetchone()
            entries, size = connection.execute("SELECT entries, bytes FROM held").fetchone()
            oldest = connection.execute("SELECT put_at FROM waiting ORDER BY seq LIMIT 1").fetchone()
        return Held(waiting, entries - waiting, size, None if oldest is None else datetime.fromisoformat(oldest[0]))

    def passed(self, seq: int) -> bool:
        """Whether nothing waits any more up to this number."""
        with self._reading() as connection:
            row = connection.execute("SELECT min(seq) FROM waiting").fetchone()
        return row[0] is None or row[0] > seq

    def newest(self) -> int:
        """Number of the event put in last; 0 when there never was one."""
        with self._reading() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'waiting'").fetchone()
        return 0 if row is None else int(row[0])

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA secure_delete = ON")
        self._connection.executescript(
            "BEGIN IMMEDIATE;" + _SCHEMA + "".join(_COUNTED.format(table=t) for t in ("waiting", "refused")) + "COMMIT;"
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except sqlite3.Error as error:
                raise self._broken(error) from None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise self._broken(error) from None

    def _broken(self, error: OSError | sqlite3.Error) -> SpoolError:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return SpoolError(f"the spool {self.directory} cannot be used: {why}. Check its disk and its owner")
