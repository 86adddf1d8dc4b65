"""The key that seals a spool: waiting events hold names and addresses, and an adapter's machine may be stolen.

AES-256-GCM with a random nonce per entry (NIST SP 800-38D section 8.2.2: fine below 2^32 entries). The key is base64
of 32 bytes in a file that only its owner may read; kept on another disk than the spool it also protects its backups.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ccr_events.key_file import FILE_MODE, KEY_BYTES, LONGEST_FILE, decoded_key, write_new_key

NONCE_BYTES = 12


class SpoolKeyError(RuntimeError):
    """No usable key for a spool; the message says what to do and never holds the key."""


class SpoolKey:
    """Seals and opens what is kept in a spool. Neither text nor repr shows the key."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, about: str) -> bytes:
        """Nonce and ciphertext, bound to `about`: an entry cannot be passed off as another."""
        nonce = token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The plain bytes; raises `SpoolKeyError` when this is not the key that sealed them, or they are damaged."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode())
        except (InvalidTag, ValueError):
            raise SpoolKeyError(
                "an entry of the spool cannot be opened: it was sealed with another key, or it is damaged. "
                "Put the key back that the spool was filled with"
            ) from None


def load_spool_key(path: Path, *, create: bool) -> SpoolKey:
    """The key in the file at `path`; `create` makes one when there is none. Raises `SpoolKeyError`."""
    if create and not path.exists():
        _make(path)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(LONGEST_FILE)
    except FileNotFoundError:
        raise SpoolKeyError(
            f"the spool's key file {path} is missing: put it back; without it what waits in the spool cannot be read"
        ) from None
    except OSError as error:
        raise SpoolKeyError(f"the spool's key file {path} cannot be read: {error.strerror}") from None
    if mode & ~FILE_MODE and os.name == "posix":  # elsewhere the mode says nothing about who may read
        raise SpoolKeyError(f"others may read the spool's key file {path} (mode {mode:04o}): run chmod 600 {path}")
    secret = decoded_key(raw)
    if secret is None:
        raise SpoolKeyError(f"{path} holds no key: it must be base64 of exactly {KEY_BYTES} bytes")
    return SpoolKey(secret)


def _make(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new_key(path)
    except OSError as error:
        raise SpoolKeyError(f"a key for the spool could not be written to {path}: {error.strerror}") from None
