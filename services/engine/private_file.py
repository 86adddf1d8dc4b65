"""Files of databases, made for this user only."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def create_private(path: Path) -> None:
    """Create an empty file that only this user may read, unless there is one. Raises `OSError`.

    One that is there is not even opened: closing it would let go of every lock that SQLite holds on it in this process,
    and another process would take the database for unused (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
