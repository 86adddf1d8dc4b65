"""How far an import has come, kept in a file: an import that was ended in any way goes on where it was confirmed."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

import orjson

from services.cli.import_sources import Place
from services.cli.import_tally import Tally
from services.cli.refused import Refused

HEAD_BYTES = 65_536
"""Of the beginning of a file, to know it again."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, identity BLOB NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL,
    done INTEGER NOT NULL, kept INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS cases (case_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS import (run BLOB NOT NULL, asked TEXT NOT NULL, tally TEXT NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Known:
    """How far one file is confirmed."""

    place: Place
    done: bool
    kept: int
    """Bytes of its rejected rows."""


class Progress:
    """The state of one import."""

    def __init__(self, path: Path | None, asked: str) -> None:
        """`path`: None keeps it in memory. `asked`: what must be the same for an import to go on, in words.

        Raises `Refused`.
        """
        self.path = path
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                path.chmod(0o600)
            self._connection = sqlite3.connect("" if path is None else path, isolation_level=None)
            self._connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + _SCHEMA)
            stored = self._connection.execute("SELECT run, asked, tally FROM import").fetchone()
            if stored is None:
                stored = (token_bytes(8), asked, orjson.dumps(Tally().stored()).decode())
                self._connection.execute("INSERT INTO import VALUES (?, ?, ?)", stored)
        except (OSError, sqlite3.Error) as error:
            raise self._broken(error) from None
        self.run: bytes = stored[0]
        self.tally = Tally.continued(orjson.loads(stored[2]))
        if stored[1] != asked:
            raise Refused(
                f"{path} belongs to an import {stored[1]}, this one is {asked}: name another file with --state"
            )

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def known(self, file: Path) -> Known | None:
        """How far a file is confirmed; None when it is not known, or is another one by now."""
        try:
            row = self._connection.execute(
                "SELECT identity, offset, line, done, kept FROM files WHERE name = ?", (_name(file),)
            ).fetchone()
        except sqlite3.Error as error:
            raise self._broken(error) from None
        if row is None or row[0] != identity(file):
            return None
        return Known(Place(row[1], row[2]), bool(row[3]), row[4])

    def mark(self, file: Path, known_as: bytes, at: Known, cases: Iterable[str]) -> None:
        """Up to there it is confirmed; durable when it returns."""
        row = (_name(file), known_as, at.place.offset, at.place.line, at.done, at.kept)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", row)
            self._connection.executemany("INSERT OR IGNORE INTO cases VALUES (?)", [(case,) for case in cases])
            self._connection.execute("UPDATE import SET tally = ?", (orjson.dumps(self.tally.stored()).decode(),))
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def cases(self) -> int:
        """How many cases the events belong to."""
        (count,) = self._connection.execute("SELECT count(*) FROM cases").fetchone()
        return int(count)

    def _broken(self, error: OSError | sqlite3.Error) -> Refused:
        why = error.strerror if isinstance(error, OSError) else str(error)
        return Refused(
            f"the state file {self.path} cannot be used: {why}. Check its disk, or name another with --state"
        )


def identity(file: Path) -> bytes:
    """What a file is known again by: its size and its beginning."""
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
        size = os.fstat(opened.fileno()).st_size
    return blake2b(size.to_bytes(8, "big") + head, digest_size=16).digest()


def _name(file: Path) -> str:
    return str(file.absolute())
