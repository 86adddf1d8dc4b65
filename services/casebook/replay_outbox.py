"""What the outbox tells, summed up so that processes can compare it without sending it to each other.

The transitions of one event are hashed together, in their order, with the event's position, and the hashes of
`BUCKET` positions added up. The sums of what is stored and of what folding gives are equal exactly when both tell the
same, whatever the order in which parts of them are read (a collision of SHA-256 aside).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from services.engine.sqlite.snapshot import Snapshot

BUCKET = 1_024
"""Positions summed up together."""
_MODULUS = 1 << 128

Sums = dict[int, int]
"""Bucket → sum of the hashes of what is told in it."""
Row = tuple[int, int, bytes]
"""(recorded at, alerting, transition)."""


def told_hash(position: int, rows: Iterable[Row]) -> int:
    """The hash of what is told of one event; `rows` in order."""
    text = b"".join([b"%d %d %d %b" % (at, loud, len(body), body) for at, loud, body in rows])
    return int.from_bytes(sha256(b"%d %b" % (position, text)).digest()[:16], "big")


def add(sums: Sums, position: int, rows: Iterable[Row]) -> None:
    """Take what is told of one event into the sums."""
    bucket = position // BUCKET
    sums[bucket] = (sums.get(bucket, 0) + told_hash(position, rows)) % _MODULUS


def merge(into: Sums, more: Sums) -> None:
    """Add sums to others."""
    for bucket, number in more.items():
        into[bucket] = (into.get(bucket, 0) + number) % _MODULUS


def by_event(told: Iterable[tuple[int, int, int, bytes]]) -> Iterator[tuple[int, list[Row]]]:
    """(position, its rows) of what an outbox tells, as long as it is about the same event."""
    rows: list[Row] = []
    current = None
    for position, at, loud, body in told:
        if position != current:
            if current is not None:
                yield current, rows
            current, rows = position, []
        rows.append((at, loud, body))
    if current is not None:
        yield current, rows


def stored_sums(snapshot: Snapshot, first: int, last: int) -> tuple[Sums, bool]:
    """(sums, whether all is in the order of the log) of what is stored for these positions."""
    sums: Sums = {}
    newest, ordered = first - 1, True
    for position, rows in by_event(snapshot.told(first, last)):
        ordered = ordered and newest < position <= last
        newest = position
        add(sums, position, rows)
    return sums, ordered


def differing(folded: Sums, stored: Sums) -> list[int]:
    """Buckets in which the two do not tell the same."""
    return sorted(b for b in folded.keys() | stored.keys() if folded.get(b, 0) != stored.get(b, 0))
