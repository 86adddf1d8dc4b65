"""Refused submissions. Implements `services.engine.transaction.QuarantineStore`."""

from __future__ import annotations

from datetime import datetime

import orjson

from services.engine.sqlite.connections import Executing
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import read_instant, stored_instant
from services.engine.transaction import Held

_READ = ("id", "received_at", "agency", "key_id", "type_hint", "title", "problems", "sealed_body", "state")
_WRITTEN = (*_READ, "body_bytes")
_COLUMNS = ", ".join(_READ)


class SqliteQuarantine:
    """The quarantine, one statement a call."""

    __slots__ = ("_connection", "_savepoint")

    def __init__(self, connection: Executing, savepoint: Savepoint) -> None:
        self._connection = connection
        self._savepoint = savepoint

    def hold(self, held: Held) -> None:
        """Keep; the same id again changes nothing."""
        self._insert(held, "ON CONFLICT DO NOTHING")

    def renew(self, held: Held) -> None:
        """Put in the place of the entry with the same id, which was settled: it waits again."""
        changed = ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN[1:])
        self._insert(held, f"ON CONFLICT (id) DO UPDATE SET {changed}, settled_at = NULL")

    def get(self, quarantine_id: str) -> Held | None:
        """One entry."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM quarantine WHERE id = ?", (quarantine_id,)).fetchone()  # noqa: S608
        return None if row is None else _held(row)

    def mark(self, quarantine_id: str, state: str, at: datetime) -> None:
        """`redriven` or `discarded`, from `at` on."""
        self._savepoint.write(
            "UPDATE quarantine SET state = ?, settled_at = ? WHERE id = ?", (state, stored_instant(at), quarantine_id)
        )

    def drop_settled(self, agency: str, *, keep: int, before: datetime) -> None:
        """Take the bodies out of an agency's old settled entries; see `QuarantineStore`."""
        settled = "SELECT number FROM quarantine WHERE agency = ?1 AND state <> 'waiting' AND body_bytes > 0"
        self._savepoint.write(
            "UPDATE quarantine SET sealed_body = '', body_bytes = 0 WHERE number IN ("  # noqa: S608
            f"{settled} AND settled_at < ?2 UNION ALL "
            f"SELECT number FROM ({settled} ORDER BY settled_at DESC, number DESC LIMIT -1 OFFSET ?3))",
            (agency, stored_instant(before), keep),
        )

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

    def bytes_waiting(self, agency: str) -> int:
        """What the sealed bodies of an agency's waiting entries come to, in characters."""
        query = "SELECT coalesce(sum(body_bytes), 0) FROM quarantine WHERE state = 'waiting' AND agency = ?"
        return int(self._connection.execute(query, (agency,)).fetchone()[0])

    def _insert(self, held: Held, on_conflict: str) -> None:
        self._savepoint.write(
            f"INSERT INTO quarantine ({', '.join(_WRITTEN)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) {on_conflict}",  # noqa: S608
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
                len(held.sealed_body),
            ),
        )


def _held(row: tuple[str, int, str, str, str, str, str, str, str]) -> Held:
    identity, received_at, agency, key_id, type_hint, title, problems, sealed_body, state = row
    pairs = tuple((pointer, message) for pointer, message in orjson.loads(problems))
    return Held(identity, read_instant(received_at), agency, key_id, type_hint, title, pairs, sealed_body, state)
