"""The key store: a data key per case and label, wrapped by the master key, in a file apart from the log.

Moving a case's keys to the sealed ring, or destroying them, reaches every copy of what they sealed: in the log,
views, caches, quarantine and backups.
"""

from __future__ import annotations

import hmac
import sqlite3
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from secrets import token_bytes
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccr_events.codes.backbone import KeyRing
from ccr_events.key_file import KEY_BYTES
from services.sealing.master_key import MasterKey

FILE_NAME = "keys.db"
MAX_CACHED_KEYS = 20_000
"""Unwrapped data keys kept in memory."""
NONCE_BYTES = 12

_SCHEMA = """
CREATE TABLE IF NOT EXISTS master (one INTEGER PRIMARY KEY CHECK (one = 1), proof BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS data_keys (
    case_id TEXT NOT NULL, label TEXT NOT NULL, ring TEXT NOT NULL, wrapped BLOB,
    PRIMARY KEY (case_id, label),
    CHECK (ring IN ('open', 'sealed_court', 'destroyed') AND (wrapped IS NULL) = (ring = 'destroyed'))
) STRICT, WITHOUT ROWID;
"""


class KeyStoreError(RuntimeError):
    """The key store cannot be used; the message says why and what to do."""


class WrongMasterKey(KeyStoreError):
    """The master key is not the one this key store was made with."""


class KeyUnavailable(LookupError):
    """There is no key any more, or never was: what it sealed cannot be opened, or sealed anew."""


class KeyStore:
    """Data keys by (case id, label). One writer thread makes keys; any thread may ask for existing ones."""

    def __init__(self, path: Path, master: MasterKey) -> None:
        """Open or make the file. Raises `WrongMasterKey` or `KeyStoreError`."""
        self._path = path
        self._wrapping = AESGCM(master.subkey("wrap data keys"))
        self._lock = Lock()
        self._cache: OrderedDict[tuple[str, str], AESGCM] = OrderedDict()
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
        self._prove(master)

    def __repr__(self) -> str:
        return f"KeyStore({str(self._path)!r})"

    def key(self, case_id: str, label: str) -> AESGCM:
        """The data key to seal with, made now when there is none; durable after `flush`.

        Raises `KeyUnavailable` when it was destroyed: a destroyed record is not silently begun anew.
        """
        with self._lock:
            known = self._known(case_id, label)
            if known is None:
                secret = token_bytes(KEY_BYTES)
                nonce = token_bytes(NONCE_BYTES)
                wrapped = nonce + self._wrapping.encrypt(nonce, secret, _binding(case_id, label))
                self._unflushed[case_id, label] = wrapped
                known = self._keep(case_id, label, secret)
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
            for cached in [key for key in self._cache if key[0] == case_id]:
                del self._cache[cached]
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
        key = (case_id, label)
        if (cached := self._cache.get(key)) is not None:
            self._cache.move_to_end(key)
            return cached
        wrapped = self._unflushed.get(key)
        if wrapped is None:
            row = self._row(case_id, label)
            if row is None:
                return None
            wrapped = row[1]
            if wrapped is None:
                raise KeyUnavailable(f"the {label} key of this case was destroyed by order of a court")
        try:
            secret = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _binding(case_id, label))
        except InvalidTag:
            raise KeyStoreError(f"a key in {self._path} was altered: restore the file from its backup") from None
        return self._keep(case_id, label, secret)

    def _row(self, case_id: str, label: str) -> tuple[str, bytes | None] | None:
        row: tuple[str, bytes | None] | None = self._connection.execute(
            "SELECT ring, wrapped FROM data_keys WHERE case_id = ? AND label = ?", (case_id, label)
        ).fetchone()
        return row

    def _keep(self, case_id: str, label: str, secret: bytes) -> AESGCM:
        made = self._cache[case_id, label] = AESGCM(secret)
        if len(self._cache) > MAX_CACHED_KEYS:
            self._cache.popitem(last=False)
        return made

    def _prove(self, master: MasterKey) -> None:
        """Keep a proof of the master key, so that a wrong one is refused at once and not at the first read."""
        proof = hmac.digest(master.subkey("prove the master key"), b"ccr-backbone", sha256)
        self._connection.execute("INSERT INTO master VALUES (1, ?) ON CONFLICT DO NOTHING", (proof,))
        (kept,) = self._connection.execute("SELECT proof FROM master").fetchone()
        if not hmac.compare_digest(proof, kept):
            self._connection.close()
            raise WrongMasterKey(
                f"the master key is not the one that {self._path} was made with: "
                f"give the right key (CCR_MASTER_KEY or the key file)"
            )


def _binding(case_id: str, label: str) -> bytes:
    """Additional data: a wrapped key moved to another case or label does not open."""
    return b"ccr-key-1\x1f" + case_id.encode() + b"\x1f" + label.encode()
