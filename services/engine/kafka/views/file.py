"""The local store of one partition: a private SQLite file with the packed views and how far they go.

It is a copy. What is true lies on Kafka, so a file that is damaged, foreign or behind is set aside and made anew, and a
commit need not reach the disk at once: what a power cut takes is read from `ccr.case-views` again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import MsgspecError

from services.engine.kafka.views.tables import (
    APPLICATION_ID,
    FORMAT,
    PUT,
    TABLES,
    Row,
    Standing,
    read_standing,
    write_standing,
)
from services.engine.transaction import StorageFailed

PAGE_CACHE_KIB = 8_192
"""Pages kept in memory, each partition; the operating system keeps more."""
FILLING_CACHE_KIB = 32_768
"""The same while a whole partition is read in: its indexes should fit."""
CHECKPOINT_PAGES = 4_000
"""Pages (4 KiB) in the write-ahead log after which it is copied back into the file."""
ASIDE = ".aside"
"""Ending of a file that is not trusted; the newest is kept for whoever wants to see why."""
_BESIDE = ("", "-wal", "-shm")


class StateInUse(StorageFailed):
    """Another process, or another part of this one, has the file of the partition open."""


class StateDamaged(StorageFailed):
    """The local file cannot be read. It is set aside when it is closed; open the partition again and restore it."""


class PartitionFile:
    """One open file. Not for use by two threads at once."""

    def __init__(self, directory: Path, topic: str, partition: int) -> None:
        """Opens the file of a partition, or makes it: readable for this user only. `set_aside` tells why an old one is
        not used. Raises `StateInUse`, and `StorageFailed` when the disk refuses."""
        self.path = directory / f"views-{partition}.sqlite"
        self._topic, self._partition = topic, partition
        self.set_aside: str | None = None
        self._damaged = self._filling = False
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(directory / f"views-{partition}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as refused:
            raise _refused(directory, refused) from refused
        try:
            _take(self._lock, self.path)
            self._open()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def standing(self) -> Standing:
        """How far the file goes, as last written."""
        return self._standing

    def find(self, case_id: str) -> tuple[int | None, bytes | None] | None:
        """(`next_at`, packed view) of a case; None for a case the file does not have. Raises `StateDamaged`."""
        with self._reading():
            row = self._connection.execute("SELECT next_at, packed FROM views WHERE case_id = ?", (case_id,)).fetchone()
        return None if row is None else (row[0], row[1])

    def upcoming(self, until: int | None = None) -> Iterator[tuple[str, int]]:
        """(case, its earliest deadline), earliest first; at or before `until` when given. Raises `StateDamaged`."""
        with self._reading():
            yield from self._connection.execute(
                "SELECT case_id, next_at FROM views WHERE next_at IS NOT NULL AND next_at <= ? ORDER BY next_at",
                (_LAST if until is None else until,),
            )

    def to_refold(self, limit: int) -> list[str]:
        """Cases whose view is not here and must be refolded, at most `limit`."""
        with self._reading():
            rows = self._connection.execute("SELECT case_id FROM views WHERE packed IS NULL LIMIT ?", (limit,))
            return [case_id for (case_id,) in rows]

    def lowest_behind(self, begins: int, epoch: int) -> int | None:
        """Lowest `as_of` of views read at `begins` or later that an owner before `epoch` wrote. Reads all of it."""
        with self._reading():
            found = self._connection.execute(
                "SELECT min(as_of) FROM views WHERE position >= ? AND epoch < ?", (begins, epoch)
            ).fetchone()[0]
        return None if found is None else int(found)

    def count(self) -> int:
        """Cases in the file."""
        with self._reading():
            return int(self._connection.execute("SELECT count(*) FROM views").fetchone()[0])

    def write(self, rows: Iterable[Row], standing: Standing) -> None:
        """Rows and standing in one transaction. A row that is older than the one held changes nothing (older is a
        lower (epoch, as_of)), nor one that only says to refold what is held. Raises `StorageFailed`; then nothing was
        written."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(PUT, rows)
                self._note(standing)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            # Without a write-ahead log nothing is undone.
            self._damaged = self._damaged or self._filling
            raise self._failed(error) from error
        self._standing = standing

    def forget(self, case_id: str) -> None:
        """A view that cannot be read: it is to be refolded when the partition is restored next."""
        try:
            self._connection.execute("UPDATE views SET packed = NULL WHERE case_id = ?", (case_id,))
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def start_anew(self, why: str) -> None:
        """Set the file aside and begin an empty one. Raises `StorageFailed`."""
        self._connection.close()
        self._put_aside(why)
        self._damaged = self._filling = False
        self._create()

    def begin_filling(self) -> None:
        """Much is going to be written. An empty file does without a write-ahead log meanwhile, which takes a third less
        time; until `end_filling` it does not count as a file of ours, so that one left half-way is not trusted."""
        with self._reading():
            self._connection.execute(f"PRAGMA cache_size = -{FILLING_CACHE_KIB}")
            if self.standing.read_to == 0 and self.count() == 0:
                self._filling = True
                for pragma in ("application_id = 0", "journal_mode = OFF", "synchronous = OFF"):
                    self._connection.execute(f"PRAGMA {pragma}")

    def end_filling(self) -> None:
        """What was written is on the disk, and is ours. Raises `StorageFailed`."""
        with self._reading():
            self._connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
            if not self._filling or self._damaged:
                return
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            # A checkpoint fsyncs the whole file; only then may it say that it is ours.
            self._note(self._standing)
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._filling = False

    def close(self) -> None:
        """Close it, and set it aside if it turned out to be damaged. Twice is once."""
        if self._lock < 0:
            return
        self._connection.close()
        if self._damaged:
            self._put_aside("it is damaged")
        os.close(self._lock)
        self._lock = -1

    def _open(self) -> None:
        if not self.path.exists():
            self._create()
            return
        why = self._opened()
        if why is not None:
            self._put_aside(why)
            self._create()

    def _opened(self) -> str | None:
        """Open the file that is there; why it cannot be used, and is closed again."""
        try:
            self._connection = self._connect()
        except sqlite3.Error as error:
            return _why(error)
        why = self._distrusted()
        if why is not None:
            self._connection.close()
        return why

    def _distrusted(self) -> str | None:
        """Why the open file cannot be used; None when it can. Reads the standing."""
        try:
            ((application,),) = self._connection.execute("PRAGMA application_id")
            ((version,),) = self._connection.execute("PRAGMA user_version")
            if application != APPLICATION_ID:
                return "it is not a file of ours"
            if version != FORMAT:
                return f"its format is {version}, and this release has {FORMAT}"
            standing = read_standing(self._connection.execute("SELECT body FROM standing").fetchone()[0])
            for table in ("views", "views INDEXED BY views_of_case"):
                self._connection.execute(f"SELECT case_id FROM {table} WHERE case_id > '' LIMIT 1").fetchone()  # noqa: S608
        except (sqlite3.Error, MsgspecError, TypeError) as error:
            return _why(error)
        if (standing.topic, standing.partition) != (self._topic, self._partition):
            return f"it is of {standing.topic}, partition {standing.partition}"
        self._standing = standing
        return None

    def _create(self) -> None:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = self._connect()
            self._connection.execute("BEGIN IMMEDIATE")
            for table in TABLES:
                self._connection.execute(table)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {FORMAT}")
            self._standing = Standing(self._topic, self._partition)
            self._note(self._standing)
            self._connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise _refused(self.path, error) from error

    def _connect(self) -> sqlite3.Connection:
        # Another thread writes while a partition is restored, never two at once.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=64)
        try:
            for pragma in (
                "journal_mode = WAL",
                "synchronous = NORMAL",
                "cell_size_check = ON",
                f"cache_size = -{PAGE_CACHE_KIB}",
                f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
                "temp_store = MEMORY",
            ):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _note(self, standing: Standing) -> None:
        self._connection.execute("INSERT OR REPLACE INTO standing VALUES (1, ?)", (write_standing(standing),))

    def _put_aside(self, why: str) -> None:
        self.set_aside = f"{self.path} was set aside as {self.path.name}{ASIDE} ({why}); its views are read from Kafka"
        try:
            for ending in _BESIDE:
                found = Path(f"{self.path}{ending}")
                if found.exists():
                    found.replace(f"{self.path}{ASIDE}{ending}")
                else:
                    Path(f"{self.path}{ASIDE}{ending}").unlink(missing_ok=True)
        except OSError as refused:
            raise _refused(self.path, refused) from refused

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> StorageFailed:
        if _primary(error) in _DAMAGE:
            self._damaged = True
            return StateDamaged(
                f"{self.path} is damaged ({_why(error)}): it is set aside when this worker stops, which then reads the "
                "views from Kafka; check the disk"
            )
        return _refused(self.path, error)


_LAST = 2**63 - 1
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        raise StateInUse(
            f"{path} is in use: another worker has the same data directory, or this one did not let the partition go; "
            "give every worker a directory of its own"
        ) from taken


def _primary(error: BaseException) -> int:
    # Errors of the module itself carry no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _why(error: BaseException) -> str:
    return getattr(error, "sqlite_errorname", type(error).__name__)


def _refused(path: Path, error: BaseException) -> StorageFailed:
    cause = error.strerror if isinstance(error, OSError) else _why(error)
    return StorageFailed(f"{path}: the disk refused ({cause}); free some space or make it writable, then start again")
