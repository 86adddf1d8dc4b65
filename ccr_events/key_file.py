"""A secret key in a file of its own: base64 of 32 bytes, for its owner only, there whole or not at all."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes, token_hex

KEY_BYTES = 32
FILE_MODE = 0o600
LONGEST_FILE = 1_000
"""Bytes read of a key file; a key in base64 has 44."""


def write_new_key(path: Path) -> None:
    """Make a key, durable before it has its name: half a key, left by a process that was killed, would be refused at
    the next start, and one that is lost with the power takes everything sealed with it.

    Where another process made one meanwhile, that one is the key. Raises `OSError`.
    """
    unfinished = path.with_name(f".{path.name}-{token_hex(8)}")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        try:
            os.write(file, b64encode(token_bytes(KEY_BYTES)) + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        with suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()
    sync_directory(path.parent)


def decoded_key(text: str | bytes) -> bytes | None:
    """The key that a file or variable holds; None when it holds none."""
    try:
        secret = b64decode(text.strip(), validate=True)
    except ValueError:
        return None
    return secret if len(secret) == KEY_BYTES else None


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable, where a directory can be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
