"""How much memory this process may use: of the machine, or of the container or service it runs in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

UNKNOWN = 2 * 2**30
"""Assumed, in bytes, where the system does not say."""
_GROUPS = Path("/sys/fs/cgroup")
_MINE = Path("/proc/self/cgroup")


def memory_bytes(groups: Path = _GROUPS, mine: Path = _MINE) -> int:
    """The least of the machine's memory and the limits of the control groups above this process (`memory.max` of
    version 2, `memory.limit_in_bytes` of version 1)."""
    return min([_of_machine(), *_limits(groups, mine)])


def _of_machine() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # not on every system
        return UNKNOWN


def _limits(groups: Path, mine: Path) -> Iterator[int]:
    for file in (groups / "memory" / "memory.limit_in_bytes", *_of_version_2(groups, mine)):
        try:
            text = file.read_text().strip()
        except OSError:
            continue
        if text.isdigit() and int(text) > 0:
            yield int(text)


def _of_version_2(groups: Path, mine: Path) -> Iterator[Path]:
    try:
        lines = mine.read_text().splitlines()
    except OSError:
        lines = []
    path = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    here = Path(path)
    for group in (here, *here.parents):
        yield groups / group / "memory.max"
