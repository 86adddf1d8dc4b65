"""What `ccr up` leaves in its data directory for the commands beside it: its address, and keys for this machine.

`server.json` holds the address while the service runs. `local-keys.json` (readable by its owner only) holds one API
key per agency, made at the first start, so that a first look needs no set-up.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import orjson

from services.cli.refused import Refused

SERVER = "server.json"
LOCAL_KEYS = "local-keys.json"
_PRIVATE = 0o600
_LONGEST_FILE = 100_000
"""Bytes; both files are far smaller."""


@dataclass(frozen=True, slots=True)
class Server:
    """The service that runs on a data directory."""

    url: str
    pid: int


def write_server(data: Path, server: Server) -> None:
    """Say where the service is; replaces an older file at once, never half."""
    _write(data / SERVER, {"url": server.url, "pid": server.pid})


def read_server(data: Path) -> Server | None:
    """The running service; None when the directory has no such file. It may be stale after a crash."""
    stored = _read(data / SERVER)
    if stored is None:
        return None
    url, pid = stored.get("url"), stored.get("pid")
    if not isinstance(url, str) or not isinstance(pid, int):
        raise _unreadable(data / SERVER)
    return Server(url, pid)


def forget_server(data: Path) -> None:
    """The service has stopped."""
    (data / SERVER).unlink(missing_ok=True)


def write_local_keys(data: Path, keys: Mapping[str, str]) -> None:
    """Keep the keys of this machine: agency → API key."""
    _write(data / LOCAL_KEYS, dict(keys))


def read_local_keys(data: Path) -> dict[str, str]:
    """Agency → API key; empty when there are none. Refuses a file that others may read."""
    path = data / LOCAL_KEYS
    stored = _read(path)
    if stored is None:
        return {}
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~_PRIVATE:
        raise Refused(f"others may read the keys in {path} (mode {mode:04o}): run chmod 600 {path}")
    if not all(isinstance(key, str) for key in stored.values()):
        raise _unreadable(path)
    return stored


def _write(path: Path, content: Mapping[str, Any]) -> None:
    descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_FILE)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        stored = orjson.loads(raw)
    except orjson.JSONDecodeError:
        stored = None
    if not isinstance(stored, dict):
        raise _unreadable(path)
    return stored


def _unreadable(path: Path) -> Refused:
    return Refused(f"{path} cannot be read: delete it and start ccr up again")
