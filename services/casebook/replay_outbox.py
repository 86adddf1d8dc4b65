"""What the outbox tells, summed up so that processes can compare it without sending it to each other.

The transitions of one event are hashed together, in their order, with the event's position, and the hashes of
`BUCKET` positions added up. The sums of what is stored and of what folding gives are equal exactly when both tell the
same, whatever the order in which parts of them are read (a collision of SHA-256 aside).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from services.engine.sqlite.snapshot import Snapshot

BUCKET = 1_024
"""Positions summed up together."""
_MODULUS = 1 << 128

Sums = dict[int, int]
"""Bucket → sum of the hashes of what is told in it."""
Rows = Iterable[tuple[int, int, bytes]]
"""(recorded at, alerting, transition) of one event, in order."""


def told_hash(position: int, rows: Rows) -> int:
    """The hash of what is told of one event."""
    text = b"".join([b"%d %d %d %d " % (position, at, loud, len(body)) + body for at, loud, body in rows])
    return int.from_bytes(sha256(text).digest()[:16], "big")


def add(sums: Sums, position: int, rows: Rows) -> None:
    """Take what is told of one event into the sums."""
    bucket = position // BUCKET
    sums[bucket] = (sums.get(bucket, 0) + told_hash(position, rows)) % _MODULUS


def merge(into: Sums, more: Sums) -> None:
    """Add sums to others."""
    for bucket, number in more.items():
        into[bucket] = (into.get(bucket, 0) + number) % _MODULUS


def stored_sums(snapshot: Snapshot, first: int, last: int) -> tuple[Sums, bool]:
    """(sums, whether all is in the order of the log) of what is stored for these positions."""
    sums: Sums = {}
    newest, ordered = first - 1, True
    for told in snapshot.told(first, last):
        ordered = ordered and newest < told.position <= last
        newest = told.position
        add(sums, told.position, told.rows)
    return sums, ordered


def differing(folded: Sums, stored: Sums) -> list[int]:
    """Buckets in which the two do not tell the same."""
    return sorted(b for b in folded.keys() | stored.keys() if folded.get(b, 0) != stored.get(b, 0))
