"""Files that nobody but their owner may read, there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex, token_urlsafe

from ccr_events.key_file import FILE_MODE, sync_directory

DIRECTORY_MODE = 0o700
PASSWORD_BYTES = 32
"""Randomness of a password that we make; 43 characters in a file."""


def private_directory(directory: Path) -> None:
    """Make a directory that nobody else may look into, or close one that is there. Raises `OSError`."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(DIRECTORY_MODE)


def write_private(path: Path, content: bytes, mode: int = FILE_MODE) -> None:
    """Write or replace a file; it is never readable to others, not even while it is written. Raises `OSError`."""
    unfinished = path.with_name(f".{path.name}-{token_hex(8)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def kept_password(path: Path, mode: int = FILE_MODE) -> str:
    """The password in a file; made the first time. Raises `OSError`."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        made = token_urlsafe(PASSWORD_BYTES)
        write_private(path, made.encode() + b"\n", mode)
        return made
