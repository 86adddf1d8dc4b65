"""What a power cut leaves of a commit that was on its way to the disk.

SQLite writes the frames of a commit to the write-ahead log, syncs, and only then may copy pages into the database. So
until the sync any part of the frames may be there, in any order of blocks, the last one half written; the database is
as it was. After it the frames are whole, and any of the database's pages may be new. Where a log begins anew, SQLite
syncs its header before any frame (sqlite.org/src/info/ff5be73dee): no new frame stands under an old header.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

BLOCK = 4_096
"""Bytes a disk writes as one."""
HEADER_BYTES = 32
"""Of a write-ahead log (sqlite.org/fileformat2.html, section 4.1)."""

Files = Mapping[str, bytes]
"""File name → content."""


def torn(before: Files, after: Files, random: Random) -> tuple[str, dict[str, bytes]]:
    """(how, the files): something between the state before a commit and the state after it."""
    logs = {name for name in after if name.endswith("-wal")}
    checkpointed = any(before.get(name) != after[name] for name in after.keys() - logs)
    if checkpointed and random.random() < 0.5:
        kept = {
            name: after[name] if name in logs else _some_blocks(before.get(name, b""), after[name], random)
            for name in after
        }
        return "checkpoint torn", kept
    tear = random.choice((_nothing, _prefix, _garbled, _some_frames, _everything))
    left = dict(before)
    for name in sorted(logs):
        if before.get(name, b"") != after[name]:
            left[name] = tear(before.get(name, b""), after[name], random)
    if tear is _everything:
        left = dict(after)
    return f"commit torn ({tear.__name__.strip('_').replace('_', ' ')})", left


def _nothing(before: bytes, after: bytes, random: Random) -> bytes:
    return before


def _everything(before: bytes, after: bytes, random: Random) -> bytes:
    return after


def _prefix(before: bytes, after: bytes, random: Random) -> bytes:
    """The first bytes are the new ones, the rest as it was."""
    start = _first_difference(before, after)
    end = random.randint(start, len(after))
    return after[:end] + before[end:]


def _garbled(before: bytes, after: bytes, random: Random) -> bytes:
    """As `_prefix`, and what was being written when the power went holds noise."""
    start = _first_difference(before, after)
    end = random.randint(start, len(after))
    noise_at = max(start, end - random.randint(1, BLOCK))
    return after[:noise_at] + random.randbytes(end - noise_at) + before[end:]


def _some_blocks(before: bytes, after: bytes, random: Random) -> bytes:
    """Any of the blocks reached the disk, in any order; a block never written beyond the old end is zeros."""
    size = max(len(before), len(after))
    old, new = before.ljust(size, b"\0"), after.ljust(size, b"\0")
    blocks = (new if random.random() < 0.5 else old for _ in range(0, size, BLOCK))
    mixed = b"".join(source[at : at + BLOCK] for at, source in zip(range(0, size, BLOCK), blocks, strict=True))
    return mixed[: len(before)] if mixed[len(before) :].strip(b"\0") == b"" else mixed


def _some_frames(before: bytes, after: bytes, random: Random) -> bytes:
    """Any blocks of a log, behind the header that was synced before them."""
    return after[:HEADER_BYTES] + _some_blocks(before, after, random)[HEADER_BYTES:]


def _first_difference(before: bytes, after: bytes) -> int:
    size = min(len(before), len(after))
    if before[:size] == after[:size]:
        return size
    low, high = 0, size
    while high - low > 1:  # the first half that differs holds the first difference
        middle = (low + high) // 2
        if before[low:middle] == after[low:middle]:
            low = middle
        else:
            high = middle
    return low
