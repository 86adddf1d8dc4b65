"""The key store of one process: a file apart from the log. Implements `services.sealing.keys.Keys`."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccr_events.codes.backbone import KeyRing
from services.sealing.keys import KeyStoreError, KeyUnavailable, WrongMasterKey
from services.sealing.master_key import MasterKey
from services.sealing.wrapping import Unwrapped, Wrapping, wrong_master_key

FILE_NAME = "keys.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS master (one INTEGER PRIMARY KEY CHECK (one = 1), proof BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS data_keys (
    case_id TEXT NOT NULL, label TEXT NOT NULL, ring TEXT NOT NULL, wrapped BLOB,
    PRIMARY KEY (case_id, label),
    CHECK (ring IN ('open', 'sealed_court', 'destroyed') AND (wrapped IS NULL) = (ring = 'destroyed'))
) STRICT, WITHOUT ROWID;
"""


class KeyStore:
    """Data keys by (case id, label). One writer thread makes keys; any thread may ask for existing ones."""

    def __init__(self, path: Path, master: MasterKey) -> None:
        """Open or make the file. Raises `WrongMasterKey` or `KeyStoreError`."""
        self._path = path
        self._wrapping = Wrapping(master)
        self._lock = Lock()
        self._cache = Unwrapped()
        self._unflushed: dict[tuple[str, str], bytes] = {}
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise KeyStoreError(f"the key store {path} cannot be opened: {error}") from None
        try:
            path.chmod(0o600)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            self._connection.close()
            raise KeyStoreError(f"the key store {path} cannot be opened: {error}") from None
        self._prove()

    def __repr__(self) -> str:
        return f"KeyStore({str(self._path)!r})"

    def key(self, case_id: str, label: str) -> AESGCM:
        """The data key to seal with, made now when there is none; durable after `flush`.

        Raises `KeyUnavailable` when it was destroyed: a destroyed record is not silently begun anew.
        """
        with self._lock:
            known = self._known(case_id, label)
            if known is None:
                known, self._unflushed[case_id, label] = self._wrapping.new(case_id, label)
                self._cache.keep(case_id, label, known)
            return known

    def existing(self, case_id: str, label: str) -> AESGCM:
        """The data key to open with; raises `KeyUnavailable` when it never was or was destroyed."""
        with self._lock:
            known = self._known(case_id, label)
        if known is None:
            raise KeyUnavailable(f"there is no {label} key for this case: was the key store restored from a backup?")
        return known

    def ring(self, case_id: str, label: str) -> KeyRing | None:
        """Where the key lies; None when there never was one."""
        with self._lock:
            if (case_id, label) in self._unflushed:
                return KeyRing.OPEN
            row = self._row(case_id, label)
        return None if row is None else KeyRing(row[0])

    def move(self, case_id: str, to: KeyRing) -> None:
        """Move every key of a case to a ring, durably; `destroyed` deletes them for good."""
        with self._lock:
            self._flush()
            self._cache.drop_case(case_id)
            wrapped = "NULL" if to is KeyRing.DESTROYED else "wrapped"
            self._connection.execute(
                f"UPDATE data_keys SET ring = ?, wrapped = {wrapped} "  # noqa: S608  # one of two literals
                "WHERE case_id = ? AND ring <> 'destroyed'",
                (to.value, case_id),
            )
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # no copy stays behind in the WAL

    def flush(self) -> None:
        """Make new keys durable; the engine calls it before each commit of the log (`Writer.before_commit`)."""
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Flush and close the file."""
        with self._lock:
            try:
                self._flush()
            finally:
                self._cache.clear()
                self._connection.close()

    def _flush(self) -> None:
        if not self._unflushed:
            return
        rows = [(case_id, label, wrapped) for (case_id, label), wrapped in self._unflushed.items()]
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT INTO data_keys VALUES (?, ?, 'open', ?)", rows)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:  # SQLite has already rolled back after some failures
                self._connection.execute("ROLLBACK")
            raise KeyStoreError(f"new keys could not be stored in {self._path}: {error}") from None
        self._unflushed.clear()

    def _known(self, case_id: str, label: str) -> AESGCM | None:
        if (cached := self._cache.get(case_id, label)) is not None:
            return cached
        wrapped = self._unflushed.get((case_id, label))
        if wrapped is None:
            row = self._row(case_id, label)
            if row is None:
                return None
            wrapped = row[1]
        return self._cache.keep(case_id, label, self._wrapping.opened(case_id, label, wrapped, str(self._path)))

    def _row(self, case_id: str, label: str) -> tuple[str, bytes | None] | None:
        row: tuple[str, bytes | None] | None = self._connection.execute(
            "SELECT ring, wrapped FROM data_keys WHERE case_id = ? AND label = ?", (case_id, label)
        ).fetchone()
        return row

    def _prove(self) -> None:
        self._connection.execute("INSERT INTO master VALUES (1, ?) ON CONFLICT DO NOTHING", (self._wrapping.proof,))
        (kept,) = self._connection.execute("SELECT proof FROM master").fetchone()
        if not self._wrapping.is_proven(kept):
            self._connection.close()
            raise WrongMasterKey(wrong_master_key(str(self._path)))
