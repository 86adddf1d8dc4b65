"""Refused submissions. Implements `services.engine.transaction.QuarantineStore`."""

from __future__ import annotations

import sqlite3

import orjson

from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import read_instant, stored_instant
from services.engine.transaction import Held

_COLUMNS = "id, received_at, agency, key_id, type_hint, title, problems, sealed_body, state"


class SqliteQuarantine:
    """The quarantine, one statement a call."""

    __slots__ = ("_connection", "_savepoint")

    def __init__(self, connection: sqlite3.Connection, savepoint: Savepoint) -> None:
        self._connection = connection
        self._savepoint = savepoint

    def hold(self, held: Held) -> None:
        """Keep; the same id again changes nothing."""
        self._savepoint.write(
            f"INSERT INTO quarantine ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
            (
                held.id,
                stored_instant(held.received_at),
                held.agency,
                held.key_id,
                held.type_hint,
                held.title,
                orjson.dumps(held.problems).decode(),
                held.sealed_body,
                held.state,
            ),
        )

    def get(self, quarantine_id: str) -> Held | None:
        """One entry."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM quarantine WHERE id = ?", (quarantine_id,)).fetchone()  # noqa: S608
        return None if row is None else _held(row)

    def mark(self, quarantine_id: str, state: str) -> None:
        """`redriven` or `discarded`."""
        self._savepoint.write("UPDATE quarantine SET state = ? WHERE id = ?", (state, quarantine_id))

    def waiting(self, limit: int, agency: str | None = None) -> list[Held]:
        """Oldest first (of one agency)."""
        rows = self._connection.execute(
            f"SELECT {_COLUMNS} FROM quarantine "  # noqa: S608
            "WHERE state = 'waiting' AND (?1 IS NULL OR agency = ?1) ORDER BY number LIMIT ?2",
            (agency, limit),
        )
        return [_held(row) for row in rows]

    def count_waiting(self, agency: str | None = None) -> int:
        """How many wait (of one agency)."""
        query = "SELECT count(*) FROM quarantine WHERE state = 'waiting'"
        row = (
            self._connection.execute(query).fetchone()
            if agency is None
            else self._connection.execute(f"{query} AND agency = ?", (agency,)).fetchone()
        )
        return int(row[0])


def _held(row: tuple[str, int, str, str, str, str, str, str, str]) -> Held:
    identity, received_at, agency, key_id, type_hint, title, problems, sealed_body, state = row
    pairs = tuple((pointer, message) for pointer, message in orjson.loads(problems))
    return Held(identity, read_instant(received_at), agency, key_id, type_hint, title, pairs, sealed_body, state)
