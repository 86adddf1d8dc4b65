"""API keys: `ccr_<key id>_<secret>`, the secret shown once and kept only as a hash.

A secret has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that a slow hash would slow down.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes, token_hex
from time import monotonic

from ccr_events.agencies import Agency
from services.engine.ports import AuthenticatedKey, Clock
from services.engine.transaction import StoredKey, Transaction, Writer

SECRET_BYTES = 32
KEY_ID_BYTES = 8
MAX_LABEL = 64
"""Longest name a person gives a key, in characters."""
MAX_CACHED = 1_000
CACHED_S = 5.0
"""How long a key's state is trusted: a revocation by another process is respected after that, one here at once."""

_PRESENTED = re.compile(r"ccr_([0-9a-f]{16})_([0-9a-f]{64})")
_NO_HASH = token_bytes(32)
"""Compared with when a key is unknown, so that this takes the time a known key takes."""


class KeyRefused(ValueError):
    """A key that cannot be issued or revoked; says why."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key. `text` is shown once, now."""

    key_id: str
    agency: str
    text: str = field(repr=False)


class ApiKeys:
    """Issues, checks and revokes keys. Implements `services.engine.ports.Authenticator`."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        self._cache: OrderedDict[str, tuple[StoredKey, float]] = OrderedDict()
        self._generation = 0

    async def issue(self, agency: str, label: str = "") -> IssuedKey:
        """A new key for an agency; raises `KeyRefused` for an unknown agency or a label too long."""
        if agency not in set(Agency):
            raise KeyRefused(f"is no agency that is known: use one of {', '.join(Agency)}")
        if len(label) > MAX_LABEL or not label.isprintable():
            raise KeyRefused(f"a key's label is printable text of at most {MAX_LABEL} characters")
        key_id, secret = token_hex(KEY_ID_BYTES), token_hex(SECRET_BYTES)
        stored = StoredKey(key_id, str(agency), _hash(secret), self._clock.now(), label)
        await self._writer.write(lambda tx: tx.api_keys.add(stored))
        return IssuedKey(key_id, stored.agency, f"ccr_{key_id}_{secret}")

    async def authenticate(self, presented: str) -> AuthenticatedKey | None:
        """The key's owner; None for a malformed, unknown or revoked key."""
        match = _PRESENTED.fullmatch(presented)
        if match is None:
            return None
        key = await self._known(match[1])
        expected = _NO_HASH if key is None else key.secret_hash
        right = hmac.compare_digest(_hash(match[2]), expected)
        if key is None or not right or key.revoked_at is not None:
            return None
        return AuthenticatedKey(key.key_id, key.agency)

    async def revoke(self, key_id: str) -> None:
        """From now on refused; raises `KeyRefused` when there is no such key. Revoking twice changes nothing."""
        at = self._clock.now()

        def work(tx: Transaction) -> bool:
            key = tx.api_keys.get(key_id)
            if key is not None and key.revoked_at is None:
                tx.api_keys.revoke(key_id, at)
            return key is not None

        known = await self._writer.write(work)
        self._generation += 1
        self._cache.pop(key_id, None)
        if not known:
            raise KeyRefused("there is no API key with this id")

    async def all(self) -> list[StoredKey]:
        """Every key ever issued, oldest first; hashes only."""
        return await self._writer.read(lambda tx: tx.api_keys.all())

    async def _known(self, key_id: str) -> StoredKey | None:
        cached = self._cache.get(key_id)
        if cached is not None and monotonic() - cached[1] < CACHED_S:
            return cached[0]
        generation, asked_at = self._generation, monotonic()
        key = await self._writer.read(lambda tx: tx.api_keys.get(key_id))
        if key is not None and generation == self._generation:  # else it may have been revoked meanwhile
            self._cache[key_id] = (key, asked_at)
            self._cache.move_to_end(key_id)
            if len(self._cache) > MAX_CACHED:
                self._cache.popitem(last=False)
        return key


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
