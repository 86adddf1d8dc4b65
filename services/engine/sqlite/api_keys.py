"""API keys, secrets as hashes. Implements `services.engine.transaction.ApiKeyStore`."""

from __future__ import annotations

from datetime import datetime

from services.engine.sqlite.connections import Executing
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import read_instant, stored_instant
from services.engine.transaction import StoredKey

_COLUMNS = "key_id, agency, secret_hash, created_at, label, revoked_at"


class SqliteApiKeys:
    """API keys, one statement a call."""

    __slots__ = ("_connection", "_savepoint")

    def __init__(self, connection: Executing, savepoint: Savepoint) -> None:
        self._connection = connection
        self._savepoint = savepoint

    def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        revoked_at = None if key.revoked_at is None else stored_instant(key.revoked_at)
        self._savepoint.write(
            f"INSERT INTO api_keys ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
            (key.key_id, key.agency, key.secret_hash, stored_instant(key.created_at), key.label, revoked_at),
        )

    def get(self, key_id: str) -> StoredKey | None:
        """One key."""
        row = self._connection.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE key_id = ?", (key_id,)).fetchone()  # noqa: S608
        return None if row is None else _key(row)

    def revoke(self, key_id: str, at: datetime) -> None:
        """From now on refused; a key already revoked keeps its first date."""
        self._savepoint.write(
            "UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL", (stored_instant(at), key_id)
        )

    def all(self) -> list[StoredKey]:
        """Oldest first."""
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM api_keys ORDER BY number")  # noqa: S608
        return [_key(row) for row in rows]


def _key(row: tuple[str, str, bytes, int, str, int | None]) -> StoredKey:
    key_id, agency, secret_hash, created_at, label, revoked_at = row
    revoked = None if revoked_at is None else read_instant(revoked_at)
    return StoredKey(key_id, agency, secret_hash, read_instant(created_at), label, revoked)
