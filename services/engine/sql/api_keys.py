"""API keys, secrets as hashes. Implements `services.engine.transaction.ApiKeyStore`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select, update

from services.engine.sql.aside import Aside
from services.engine.sql.session import Executing
from services.engine.sql.tables import API_KEYS
from services.engine.transaction import StoredKey

_COLUMNS = tuple(API_KEYS.c[name] for name in ("key_id", "agency", "secret_hash", "created_at", "label", "revoked_at"))


class SqlApiKeys:
    """API keys, one statement a call."""

    def __init__(self, reading: Executing, aside: Aside) -> None:
        self._reading = reading
        self._aside = aside

    def add(self, key: StoredKey) -> None:
        """Keep a new key."""
        self._aside.write(insert(API_KEYS), {column.name: getattr(key, column.name) for column in _COLUMNS})

    def get(self, key_id: str) -> StoredKey | None:
        """One key."""
        row = self._reading.execute(select(*_COLUMNS).where(API_KEYS.c.key_id == key_id)).one_or_none()
        return None if row is None else StoredKey(*row)

    def revoke(self, key_id: str, at: datetime) -> None:
        """From now on refused; a key already revoked keeps its first date."""
        standing = update(API_KEYS).where(API_KEYS.c.key_id == key_id, API_KEYS.c.revoked_at.is_(None))
        self._aside.write(standing.values(revoked_at=at))

    def all(self) -> list[StoredKey]:
        """Oldest first."""
        return [StoredKey(*row) for row in self._reading.execute(select(*_COLUMNS).order_by(API_KEYS.c.number))]
