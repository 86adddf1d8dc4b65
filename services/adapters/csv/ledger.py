"""Which version of each row was published, so that an export taken in again publishes only what has changed.

The rule: a row is known by its key. The first time, it is published under an id derived from agency, table, type and
key. Unchanged, it is left alone. With other content under the same key it is a correction: a new event that names the
version before it in `corrects`. Without the ledger (lost, or another machine) the row is published under its first id
once more: unchanged it is a duplicate; changed, the backbone answers that the id is taken by other content, and the
correction follows. So a lost ledger costs time, never a double act; only a row that was changed and changed back
while there was no ledger stays as it was corrected last.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes
from typing import Literal
from uuid import UUID

import orjson

from ccr_events.core.ids import derived
from ccr_events.envelope import Event, write_structured

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows (
    row BLOB PRIMARY KEY, digest BLOB NOT NULL, event_id BLOB NOT NULL, run BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS salt (salt BLOB NOT NULL) STRICT;
"""
DIGEST_BYTES = 16


class LedgerError(RuntimeError):
    """The ledger cannot be used; says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one row."""

    row_id: str
    """The row's own event id: that of its first version."""
    outcome: Literal["publish", "unchanged", "same_key"]
    """`same_key`: another row of this run has the key and says something else, so the key does not tell rows apart."""
    event: Event = field(repr=False)
    """The event to publish: the row's first version, or a correction."""
    digest: bytes

    def correction(self) -> Event | None:
        """What to publish when the row's own id turns out to be taken by other content; None when it is no longer the
        first version that is planned."""
        return corrected(self.event, self.digest, self.row_id) if self.event.id == self.row_id else None


class Ledger:
    """The ledger of one table. Nothing is durable before `commit`, which follows what the backbone confirmed."""

    def __init__(self, path: Path | None, run: bytes | None = None) -> None:
        """`path`: None keeps it in memory, for a look. `run`: of the run that is continued. Raises `LedgerError`."""
        self.run = run or token_bytes(8)
        self._path = path
        self._new: dict[bytes, tuple[bytes, bytes]] = {}
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                path.chmod(0o600)
            self._connection = sqlite3.connect("" if path is None else path, isolation_level=None)
            self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _SCHEMA)
            self._connection.execute(
                "INSERT INTO salt SELECT ? WHERE NOT EXISTS (SELECT * FROM salt)", (token_bytes(16),)
            )
            (self._salt,) = self._connection.execute("SELECT salt FROM salt").fetchone()
            self._connection.execute("BEGIN")
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None

    def close(self) -> None:
        """Let the file go; what was not committed is forgotten."""
        self._connection.close()

    def planned(self, event: Event) -> Planned:
        """What becomes of a row that maps to `event`, whose id is the row's own."""
        row, digest = UUID(event.id).bytes, self._digest(event)
        known = self._found(row)
        if known is None:
            self._new[row] = (digest, row)
            return Planned(event.id, "publish", event, digest)
        before, latest, run = known
        if before == digest:
            if run != self.run:
                self._seen(row)
            return Planned(event.id, "unchanged", event, digest)
        if run == self.run:
            return Planned(event.id, "same_key", event, digest)
        correction = corrected(event, digest, str(UUID(bytes=latest)))
        self._new[row] = (digest, UUID(correction.id).bytes)
        return Planned(event.id, "publish", correction, digest)

    def published(self, planned: Sequence[Planned], ids: Mapping[str, str]) -> None:
        """The backbone has these; `ids`: row's id → id of the event that it has, where it is another than planned."""
        rows = [(UUID(p.row_id).bytes, p.digest, UUID(ids.get(p.row_id, p.event.id)).bytes, self.run) for p in planned]
        try:
            self._connection.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def commit(self) -> None:
        """Make durable what was published so far."""
        try:
            self._connection.execute("COMMIT")
            self._connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise self._broken(error) from None
        self._new.clear()

    def _found(self, row: bytes) -> tuple[bytes, bytes, bytes] | None:
        if row in self._new:
            return *self._new[row], self.run
        try:
            found = self._connection.execute("SELECT digest, event_id, run FROM rows WHERE row = ?", (row,)).fetchone()
        except sqlite3.Error as error:
            raise self._broken(error) from None
        return None if found is None else (found[0], found[1], found[2])

    def _digest(self, event: Event) -> bytes:
        """Salted, since ids of corrections come from it and are open: a bare digest of what is sealed could be guessed
        at until it fits."""
        content = orjson.dumps(write_structured(event), option=orjson.OPT_SORT_KEYS)
        return blake2b(content, digest_size=DIGEST_BYTES, key=self._salt).digest()

    def _seen(self, row: bytes) -> None:
        try:
            self._connection.execute("UPDATE rows SET run = ? WHERE row = ?", (self.run, row))
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def _broken(self, error: OSError | sqlite3.Error) -> LedgerError:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return LedgerError(f"the ledger of rows {self._path} cannot be used: {why}. Check its disk and its owner")


def corrected(event: Event, digest: bytes, before: str) -> Event:
    """The event as the correction of version `before`; with one ledger, said again it has the same id."""
    return replace(event, id=derived("csv-correction", before, digest.hex()), corrects=before)
