"""The key that seals a spool: waiting events hold names and addresses, and an adapter's machine may be stolen.

AES-256-GCM with a random nonce per entry (NIST SP 800-38D section 8.2.2: fine below 2^32 entries). The key is base64
of 32 bytes in a file that only its owner may read; kept on another disk than the spool it also protects its backups.
"""

from __future__ import annotations

import os
import stat
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
FILE_MODE = 0o600
_LONGEST_FILE = 1_000
"""Bytes read of a key file; a key in base64 has 44."""


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
            raw = file.read(_LONGEST_FILE)
    except FileNotFoundError:
        raise SpoolKeyError(
            f"the spool's key file {path} is missing: put it back; without it what waits in the spool cannot be read"
        ) from None
    except OSError as error:
        raise SpoolKeyError(f"the spool's key file {path} cannot be read: {error.strerror}") from None
    if mode & ~FILE_MODE and os.name == "posix":  # elsewhere the mode says nothing about who may read
        raise SpoolKeyError(f"others may read the spool's key file {path} (mode {mode:04o}): run chmod 600 {path}")
    try:
        secret = b64decode(raw.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise SpoolKeyError(f"{path} holds no key: it must be base64 of exactly {KEY_BYTES} bytes")
    return SpoolKey(secret)


def _make(path: Path) -> None:
    """Whole and durable before it has its name, so that two processes that start at once end with one key."""
    part = path.with_name(f".{path.name}-{token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            os.write(descriptor, b64encode(token_bytes(KEY_BYTES)) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with suppress(FileExistsError):
            os.link(part, path)
        part.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise SpoolKeyError(f"a key for the spool could not be written to {path}: {error.strerror}") from None


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, where a directory can be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
