"""The database file of a data directory: opened, checked, locked against a second process.

Durability: WAL with `synchronous=FULL`, so a commit has been fsynced before it returns and before readers see it.
SQLite drops the rest of a write-ahead log silently from the first damaged frame on. The commit mark, a small file
beside the database, tells when that took acknowledged commits away: it holds the number of the last commit and is
written, not fsynced, after each; it can lag after a power loss but never run ahead.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from services.engine.private_file import create_private
from services.engine.sqlite.failure import storage_failed
from services.engine.sqlite.schema import migrate
from services.engine.transaction import StorageFailed
from services.engine.unversioned import make_unversioned

DATABASE = "backbone.sqlite"
"""File name inside the data directory."""
LOCK = "backbone.lock"
"""Locked by the process that writes; a file of its own, so that readers never wait for it."""
COMMIT_MARK = "backbone.commits"
"""Number of the last commit, 8 bytes."""
BUSY_TIMEOUT_MS = 5_000
"""How long a statement waits for a lock another connection holds."""
PAGE_CACHE_KIB = 65_536
"""Pages kept in memory by the writing connection."""
CHECKPOINT_PAGES = 16_000
"""Pages (4 KiB) in the write-ahead log after which it is copied back into the database."""
_OLDEST_SQLITE = (3, 37, 0)
"""STRICT tables."""


class DirectoryLock:
    """Held by the one process that may write a data directory; the operating system frees it when that dies."""

    def __init__(self, directory: Path) -> None:
        """Take the lock; raises `StorageFailed` when another process has it."""
        path = directory / LOCK
        try:
            create_private(path)
            connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
            self._connection = _closed_on_error(
                connection,
                "PRAGMA journal_mode = MEMORY",  # nothing is ever written here
                "BEGIN EXCLUSIVE",
            )
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise StorageFailed(
                    f"{directory}: another ccr process is using this directory; stop it first, or name another "
                    "directory with --data"
                ) from error
            raise _opening_failed(error, directory) from error

    def release(self) -> None:
        """Give it up."""
        self._connection.close()


class CommitMark:
    """The number of the last commit, kept outside the database."""

    def __init__(self, directory: Path) -> None:
        create_private(directory / COMMIT_MARK)
        self._file = os.open(directory / COMMIT_MARK, os.O_RDWR)

    def read(self) -> int:
        """The last number written; 0 for a new directory."""
        return int.from_bytes(os.pread(self._file, 8, 0), "big")

    def write(self, number: int) -> None:
        """Note a commit that has been fsynced."""
        os.pwrite(self._file, number.to_bytes(8, "big"), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def prepare(directory: Path) -> Path:
    """Create the directory and the database if need be, bring it to the newest version, check that no acknowledged
    commit is missing; returns the path of the database. The caller holds the `DirectoryLock`."""
    path = directory / DATABASE
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageFailed(f"this Python has SQLite {sqlite3.sqlite_version}; 3.37 or newer is needed")
    try:
        create_private(path)
        if path.stat().st_size > 0:
            _check_commits(directory)
        connection = connect(path)
        try:
            migrate(connection)
        finally:
            connection.close()
    except (sqlite3.Error, OSError) as error:
        raise _opening_failed(error, path) from error
    return path


def make_directory(directory: Path) -> None:
    """Create the data directory, for this user only; raises `StorageFailed`."""
    try:
        make_unversioned(directory, 0o700)
    except OSError as error:
        raise _opening_failed(error, directory) from error


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes; transactions are begun and ended by hand."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=BUSY_TIMEOUT_MS / 1000
    )
    return _closed_on_error(
        connection,
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA fullfsync = ON",
        "PRAGMA foreign_keys = ON",
        f"PRAGMA cache_size = -{PAGE_CACHE_KIB}",
        f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
        "PRAGMA temp_store = MEMORY",
    )


def connect_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; also works on a directory no process has open, even a read-only one."""
    # Without a write-ahead log there is nothing to recover, and a read-only directory allows no shared memory file.
    still = not Path(f"{path}-wal").exists() and not os.access(path.parent, os.W_OK)
    mode = "immutable=1" if still else "mode=ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_MS / 1000,
    )
    return _closed_on_error(connection, "PRAGMA query_only = ON")


def _closed_on_error(connection: sqlite3.Connection, *statements: str) -> sqlite3.Connection:
    """Run the first statements of a connection; one that refuses leaves no connection open."""
    try:
        for statement in statements:
            connection.execute(statement)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _check_commits(directory: Path) -> None:
    """Raise when commits that were acknowledged are gone. Reads only: the files stay as they were found."""
    mark = CommitMark(directory)
    try:
        acknowledged = mark.read()
    finally:
        mark.close()
    if acknowledged == 0:
        return
    path = directory / DATABASE
    connection = connect_reading(path)
    try:
        known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'commits'").fetchone()
        committed = connection.execute("SELECT number FROM commits").fetchone()[0] if known else 0
    finally:
        connection.close()
    if committed < acknowledged:
        raise StorageFailed(
            f"{path}: {acknowledged - committed:,} commits that were acknowledged are missing, so its write-ahead log "
            f"({DATABASE}-wal) is damaged or was removed. Nothing was changed. Copy the directory as it is, then "
            f"restore the newest backup; if you restored this one on purpose, delete {COMMIT_MARK} and start again"
        )


def _opening_failed(error: sqlite3.Error | OSError, path: Path) -> StorageFailed:
    if isinstance(error, sqlite3.Error):
        return storage_failed(error, path)
    return StorageFailed(f"{path}: {error.strerror}; make the directory and its files writable for this user")
