"""Events from a file: one CloudEvent, a JSON array of them, or one a line (NDJSON)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson

from services.cli.refused import Refused

MAX_FILE_BYTES = 64_000_000
"""Largest file read at once; a larger one is split by whoever made it."""


def read_events(path: Path) -> list[Any]:
    """The JSON forms in a file, or on standard input for `-`; they are judged by the backbone, not here.

    Raises `Refused` naming the line that is not JSON, never its text.
    """
    raw = _read(path)
    whole = _json(raw)
    if isinstance(whole, list):
        found: list[Any] = whole
    elif isinstance(whole, dict):
        found = [whole]
    else:
        found = _lines(raw, path)
    if not found:
        raise Refused(f"{path} holds no event")
    return found


def _read(path: Path) -> bytes:
    if str(path) == "-":
        raw = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    else:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise Refused(f"{path} is larger than {MAX_FILE_BYTES:,} bytes: split it")
    return raw.removeprefix(b"\xef\xbb\xbf")


def _lines(raw: bytes, path: Path) -> list[Any]:
    found = []
    for number, line in enumerate(raw.splitlines(), start=1):
        if not line.strip():
            continue
        form = _json(line)
        if not isinstance(form, dict):
            raise Refused(f"{path}, line {number}: is no JSON object; give one CloudEvent, an array, or one a line")
        found.append(form)
    return found


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
