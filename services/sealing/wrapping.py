"""Data keys wrapped by the master key, and those that are unwrapped in memory: the same in every key store."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from hashlib import sha256
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccr_events.key_file import KEY_BYTES
from services.sealing.keys import KeyStoreError, KeyUnavailable
from services.sealing.master_key import MasterKey

MAX_CACHED_KEYS = 20_000
"""Unwrapped data keys kept in memory."""
NONCE_BYTES = 12


class Wrapping:
    """Makes data keys, and wraps and unwraps them by (case id, label). AES-256-GCM. Repr shows no key."""

    def __init__(self, master: MasterKey) -> None:
        self._wrapping = AESGCM(master.subkey("wrap data keys"))
        self._proof = hmac.digest(master.subkey("prove the master key"), b"ccr-backbone", sha256)

    @property
    def proof(self) -> bytes:
        """Kept with the keys, so that a wrong master key is refused at once and not at the first read."""
        return self._proof

    def is_proven(self, kept: bytes) -> bool:
        """Whether a store with this proof was made with the same master key."""
        return hmac.compare_digest(self._proof, kept)

    def new(self, case_id: str, label: str) -> tuple[AESGCM, bytes]:
        """A new data key, and how it is kept."""
        secret, nonce = token_bytes(KEY_BYTES), token_bytes(NONCE_BYTES)
        return AESGCM(secret), nonce + self._wrapping.encrypt(nonce, secret, _binding(case_id, label))

    def opened(self, case_id: str, label: str, wrapped: bytes | None, where: str) -> AESGCM:
        """A data key as it was kept; None in its place stands for one that was destroyed.

        Raises `KeyUnavailable`, and `KeyStoreError` for one that was altered in the store, which is named by `where`.
        """
        if wrapped is None:
            raise KeyUnavailable(f"the {label} key of this case was destroyed by order of a court")
        try:
            secret = self._wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _binding(case_id, label))
        except InvalidTag:
            raise KeyStoreError(f"a key in {where} was altered: restore it from its backup") from None
        return AESGCM(secret)


class Unwrapped:
    """Data keys in memory, those used last, at most `MAX_CACHED_KEYS`."""

    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[str, str], AESGCM] = OrderedDict()

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, case_id: str, label: str) -> AESGCM | None:
        """The key, if it is here."""
        found = self._keys.get((case_id, label))
        if found is not None:
            self._keys.move_to_end((case_id, label))
        return found

    def keep(self, case_id: str, label: str, key: AESGCM) -> AESGCM:
        """Keep a key; returns it."""
        self._keys[case_id, label] = key
        if len(self._keys) > MAX_CACHED_KEYS:
            self._keys.popitem(last=False)
        return key

    def drop_case(self, case_id: str) -> None:
        """Forget every key of a case."""
        for known in [known for known in self._keys if known[0] == case_id]:
            del self._keys[known]

    def clear(self) -> None:
        """Forget all."""
        self._keys.clear()


def wrong_master_key(where: str) -> str:
    """What to say of a master key that the store `where` was not made with."""
    return (
        f"the master key is not the one that {where} was made with: give the right key (CCR_MASTER_KEY or the key file)"
    )


def _binding(case_id: str, label: str) -> bytes:
    """Additional data: a wrapped key moved to another case or label does not open."""
    return b"ccr-key-1\x1f" + case_id.encode() + b"\x1f" + label.encode()
