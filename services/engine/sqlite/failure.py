"""What SQLite says, in words an operator can act on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from services.engine.transaction import StorageFailed

_ADVICE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space, then publish again",
    sqlite3.SQLITE_READONLY: "it is read-only; make the directory and its files writable for this user",
    sqlite3.SQLITE_PERM: "this user may not use it; make the directory and its files writable for this user",
    sqlite3.SQLITE_AUTH: "this user may not use it; make the directory and its files writable for this user",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that the directory exists and that this user may write there",
    sqlite3.SQLITE_IOERR: "the disk reported an error; check the disk, then start again",
    sqlite3.SQLITE_CORRUPT: "it is damaged; keep its files as they are and restore the newest backup into another "
    "directory",
    sqlite3.SQLITE_NOTADB: "it is not a database of ours; name another directory with --data",
    sqlite3.SQLITE_BUSY: "another program holds it locked; stop that program",
    sqlite3.SQLITE_LOCKED: "another program holds it locked; stop that program",
    sqlite3.SQLITE_PROTOCOL: "its lock could not be taken; a network file system is not supported",
    sqlite3.SQLITE_NOMEM: "memory ran out",
}
_PRIMARY = 0xFF
"""SQLite's extended result codes keep the primary one in the low byte."""


def is_storage_failure(error: BaseException) -> bool:
    """Whether the disk (or what is on it) refused, rather than a statement being wrong."""
    return isinstance(error, sqlite3.Error) and _code(error) in _ADVICE


def storage_failed(error: BaseException, path: Path) -> StorageFailed:
    """The error to raise in place of `error`; the caller chains it (`from error`)."""
    if isinstance(error, StorageFailed):
        return StorageFailed(str(error))
    return StorageFailed(f"{path}: {_advice(error)}")


def _advice(error: BaseException) -> str:
    if isinstance(error, sqlite3.Error) and (advice := _ADVICE.get(_code(error))) is not None:
        return advice
    if isinstance(error, OSError) and error.strerror:
        return f"a file beside it could not be written ({error.strerror}); check the disk, then publish again"
    return f"it could not be written ({type(error).__name__}); nothing of this group was accepted"


def _code(error: sqlite3.Error) -> int:
    # Errors raised by the module itself (a closed connection, a wrong type) carry no code.
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY
