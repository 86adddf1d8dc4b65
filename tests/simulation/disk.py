"""The disk of one process under test: real SQLite files in memory, a power cut at any commit, and refusals.

A process gets a directory of its own. When it dies, what its disk held at that instant goes to the directory of the
next one; whatever the dead one still does to its own is seen by nobody.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from services.engine.sqlite.database import COMMIT_MARK, LOCK
from tests.simulation.threads import pause
from tests.simulation.torn import Files, torn

MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one."""
_REFUSALS = {
    "disk full": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "disk read-only": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
    "disk error": (sqlite3.SQLITE_IOERR, "disk I/O error"),
}
REFUSALS = tuple(_REFUSALS)
"""What a disk may say instead of obeying."""
_CHANGES = ("INSERT", "UPDATE", "DELETE", "COMMIT", "BEGIN IMMEDIATE")
REFUSED_READS = 0.1
"""Share of queries that a broken disk fails."""
_NOT_KEPT = (LOCK, "-shm")


class Disk:
    """A directory, and what happens to it."""

    def __init__(self, directory: Path, random: Random) -> None:
        self.directory = directory
        self._random = random
        self.refusing: str | None = None
        """One of `REFUSALS`, while it lasts."""
        self.commits = 0
        """Transactions committed on it, of every database."""
        self.cut_at_commit: int | None = None
        """The power goes while this commit is on its way."""
        self.power_cut: Callable[[str, Files], None] = lambda how, files: None
        """Told how the power went, and what is left."""
        self.counted: Callable[[str], None] = lambda fault: None
        """Told of each refusal."""
        self._unsynced: set[str] = set()
        """Databases whose commits are not synced."""
        self._connections: list[sqlite3.Connection] = []

    def run(self, connection: WatchedConnection, statement: str, parameters: Any, call: Callable[..., Any]) -> Any:
        """Run one statement on one of its databases."""
        if statement.startswith("COMMIT") and connection.in_transaction:
            return self._commit(connection, statement, parameters, call)
        if statement.startswith("BEGIN"):
            pause(self._random)
        elif statement.startswith("PRAGMA synchronous"):
            synced = statement.split("=")[-1].strip() in ("FULL", "EXTRA", "2", "3")
            (self._unsynced.discard if synced else self._unsynced.add)(connection.name)
        self._may_refuse(connection, statement)
        return call(statement, parameters)

    def files(self) -> dict[str, bytes]:
        """What is on it now; without what a new process makes anew."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.directory.iterdir())
            if not path.name.endswith(_NOT_KEPT)
        }

    def after_power_cut(self, files: Files) -> dict[str, bytes]:
        """What of these files a power cut leaves: all that was synced. The commit mark never is."""
        left = dict(files)
        if (mark := left.get(COMMIT_MARK)) is not None:
            number = int.from_bytes(mark[:8], "big")
            left[COMMIT_MARK] = self._random.randint(0, number).to_bytes(8, "big") if mark else b""
        for name in sorted(self._unsynced):
            log = left.get(f"{name}-wal", b"")
            left[f"{name}-wal"] = log[: self._random.randint(0, len(log))]
        return left

    def opened(self, connection: sqlite3.Connection) -> None:
        """Keep it, so that `abandon` can close it."""
        self._connections.append(connection)

    def abandon(self) -> None:
        """Its process has gone: close whatever it left open, delete everything."""
        for connection in self._connections:
            connection.close()
        shutil.rmtree(self.directory)

    def _commit(self, connection: WatchedConnection, statement: str, parameters: Any, call: Callable[..., Any]) -> Any:
        pause(self._random)
        self._may_refuse(connection, statement)
        self.commits += 1
        if self.commits == self.cut_at_commit and connection.total_changes:
            before = self.files()
            result = call(statement, parameters)
            how, left = torn(before, self.files(), self._random)
            self.power_cut(how, self.after_power_cut(left))
        else:
            result = call(statement, parameters)
        pause(self._random)
        return result

    def _may_refuse(self, connection: WatchedConnection, statement: str) -> None:
        if self.refusing is None:
            return
        reads = statement.startswith("SELECT")
        if reads and (self.refusing != "disk error" or self._random.random() > REFUSED_READS):
            return
        if not reads and (connection.reads_only or not statement.startswith(_CHANGES) or self._random.random() < 0.5):
            return
        code, text = _REFUSALS[self.refusing]
        self.counted(self.refusing)
        # SQLite rolls back by itself after an error of the disk, also when it was reading, and after some others.
        if connection.in_transaction and (reads or self._random.random() < 0.5):
            connection.undo()
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode = code
        raise error


class WatchedConnection(sqlite3.Connection):
    """A connection whose disk sees every statement."""

    disk: Disk | None = None
    name: str = ""
    """Of its file."""
    reads_only: bool = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """See `sqlite3.Connection.execute`."""
        if self.disk is None:
            return super().execute(sql, parameters)
        return self.disk.run(self, sql, parameters, super().execute)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """See `sqlite3.Connection.executemany`."""
        if self.disk is None:
            return super().executemany(sql, parameters)
        return self.disk.run(self, sql, parameters, super().executemany)

    def undo(self) -> None:
        """Roll back, as SQLite itself would."""
        super().execute("ROLLBACK")


class Disks:
    """Directories in memory, one per process under test, and the module `sqlite3` as the product sees it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._root = Path(tempfile.mkdtemp(prefix="ccr-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
        self._disks: list[Disk] = []

    def new(self, files: Files) -> Disk:
        """A disk that holds these files."""
        directory = self._root / str(len(self._disks))
        directory.mkdir()
        for name, content in files.items():
            file = os.open(directory / name, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(file, content)
            os.close(file)
        disk = Disk(directory, self._random)
        self._disks.append(disk)
        return disk

    def connect(self, database: Any, *args: Any, **settings: Any) -> sqlite3.Connection:
        """`sqlite3.connect`, on one of these disks."""
        connection = sqlite3.connect(database, *args, factory=WatchedConnection, **settings)
        path = Path(unquote(urlsplit(str(database)).path)) if str(database).startswith("file:") else Path(database)
        disk = next((disk for disk in self._disks if disk.directory == path.parent), None)
        if disk is not None:
            connection.disk = disk
            connection.name = path.name
            connection.reads_only = "mode=ro" in str(database)
            disk.opened(connection)
        return connection

    def close(self) -> None:
        """Delete everything."""
        shutil.rmtree(self._root, ignore_errors=True)


class SimulatedSqlite:
    """Stands for the module `sqlite3` in the product."""

    def __init__(self, disks: Disks) -> None:
        self.connect = disks.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)
