"""What makes one worker process itself again after a restart: its directory, which it alone uses, and its name."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO

from ccr_events.key_file import sync_directory
from services.engine.unversioned import make_unversioned

_NAME = "name"
_LOCK = "lock"
DIRECTORY_MODE = 0o700
"""Views hold open skeletons only, but nobody else needs to read them."""


class MemberBusy(RuntimeError):
    """Another process works in this directory; says what to do."""


@dataclass(frozen=True, slots=True)
class Member:
    """One worker process of a service."""

    directory: Path
    instance: str
    """The name under which its group knows it again (`group.instance.id`)."""


@contextmanager
def member_of(data: Path, service: str, number: int, *, wait: bool = False) -> Iterator[Member]:
    """The directory of a service's worker `number` under `data`, made the first time and held meanwhile.

    `wait`: until the process that holds it ends; else raises `MemberBusy`. Raises `OSError` too.
    """
    directory = data / service / f"worker-{number}"
    make_unversioned(data)
    directory.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
    with (directory / _LOCK).open("w") as file:
        _hold(file, directory, wait=wait)
        yield Member(directory, f"{service}-{_name(directory)}-{number}")


def _hold(file: IO[str], directory: Path, *, wait: bool) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise MemberBusy(
            f"another worker works in {directory}: stop it, or give this one a directory of its own with --data"
        ) from None


def _name(directory: Path) -> str:
    path = directory / _NAME
    if not path.exists():
        path.write_text(token_hex(8), "ascii")
        sync_directory(directory)
    return path.read_text("ascii").strip()
