"""The master key: the one secret everything sealed depends on, and the subkeys derived from it.

It comes from the environment (`CCR_MASTER_KEY`) or from a file that only its owner may read, as base64 of 32 bytes.
Keep a copy apart from the backups of the log: without it nothing sealed can be opened again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ccr_events.key_file import FILE_MODE, KEY_BYTES, LONGEST_FILE, decoded_key, write_new_key

ENVIRONMENT = "CCR_MASTER_KEY"


class MasterKeyError(RuntimeError):
    """No usable master key; the message says what to do and never holds the key."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """32 random bytes. Neither text nor repr shows them."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise MasterKeyError(f"a master key has {KEY_BYTES} bytes; this one has another length")

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose only, by HKDF-SHA256 (RFC 5869): no two uses share a key."""
        return HKDF(SHA256(), KEY_BYTES, salt=b"ccr-backbone", info=purpose.encode()).derive(self.secret)


def load_master_key(path: Path, *, create: bool = False, environ: Mapping[str, str] | None = None) -> MasterKey:
    """The key from the environment if it is set there, else from the file at `path`.

    `create`: generate the file when it is missing; say so only on the very first start, when nothing is sealed yet.
    Raises `MasterKeyError`.
    """
    text = (os.environ if environ is None else environ).get(ENVIRONMENT)
    if text is not None:
        return _decoded(text, f"the environment variable {ENVIRONMENT}")
    if create and not path.exists():
        _write_new(path)
    return _decoded(_read(path), f"the master key file {path}")


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(LONGEST_FILE)
    except FileNotFoundError:
        raise MasterKeyError(
            f"there is no master key: set {ENVIRONMENT}, or put the key file back at {path}. "
            f"Without the key that sealed this data, its confidential fields cannot be opened"
        ) from None
    except OSError as error:
        raise MasterKeyError(f"the master key file {path} cannot be read: {error.strerror}") from None
    if mode & ~FILE_MODE:
        raise MasterKeyError(f"others may read the master key file {path} (mode {mode:04o}): run chmod 600 {path}")
    return raw.decode("ascii", errors="replace")


def _decoded(text: str, where: str) -> MasterKey:
    secret = decoded_key(text)
    if secret is None:
        raise MasterKeyError(f"{where} does not hold a master key: it must be base64 of exactly {KEY_BYTES} bytes")
    return MasterKey(secret)


def _write_new(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_new_key(path)
    except OSError as error:
        raise MasterKeyError(
            f"a new master key could not be written to {path}: {error.strerror}. Make one elsewhere and copy it there, "
            f"or set {ENVIRONMENT}"
        ) from None
