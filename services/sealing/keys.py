"""What a key store offers: a data key per case and label, wrapped by the master key, kept apart from the log.

Moving a case's keys to the sealed ring, or destroying them, reaches every copy of what they sealed: in the log,
views, caches, quarantine and backups.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccr_events.codes.backbone import KeyRing
from services.engine.transaction import StorageFailed


class KeyStoreError(RuntimeError):
    """The key store cannot be used; the message says why and what to do."""


class WrongMasterKey(KeyStoreError):
    """The master key is not the one this key store was made with."""


class KeyUnavailable(LookupError):
    """There is no key any more, or never was: what it sealed cannot be opened, or sealed anew."""


class Keys(Protocol):
    """Data keys by (case id, label). One writer thread makes keys; any thread may ask for existing ones."""

    def key(self, case_id: str, label: str) -> AESGCM:
        """The data key to seal with, made now when there is none; durable after `flush`.

        Raises `KeyUnavailable` when it was destroyed: a destroyed record is not silently begun anew.
        """

    def existing(self, case_id: str, label: str) -> AESGCM:
        """The data key to open with; raises `KeyUnavailable` when it never was or was destroyed."""

    def ring(self, case_id: str, label: str) -> KeyRing | None:
        """Where the key lies; None when there never was one."""

    def move(self, case_id: str, to: KeyRing) -> None:
        """Move every key of a case to a ring, durably; `destroyed` deletes them for good."""

    def flush(self) -> None:
        """Make new keys durable; the engine does so before each commit of the log (`durable_before`). Raises
        `KeyStoreError`."""

    def close(self) -> None:
        """Flush and close."""


def durable_before(keys: Keys) -> Callable[[], None]:
    """`keys.flush` as a hook of `Writer.before_commit`: it raises `StorageFailed`, in the key store's own words."""

    def flush() -> None:
        try:
            keys.flush()
        except KeyStoreError as error:
            raise StorageFailed(str(error)) from error

    return flush
