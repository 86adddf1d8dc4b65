"""What a partition's local file holds: its tables, a row of a view, and how far it goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.msgpack import Decoder, Encoder

from services.engine.kafka.views.records import Mark

APPLICATION_ID = 0x43435256
"""`PRAGMA application_id`: "CCRV"; tells our files from others."""
FORMAT = 1
"""`PRAGMA user_version`: of the tables below. A file of another format is set aside."""
TABLES = (
    """CREATE TABLE views (
        number INTEGER PRIMARY KEY, case_id TEXT NOT NULL, epoch INTEGER NOT NULL, as_of INTEGER NOT NULL,
        position INTEGER NOT NULL, next_at INTEGER, packed BLOB) STRICT""",
    "CREATE UNIQUE INDEX views_of_case ON views (case_id)",
    "CREATE INDEX views_next ON views (next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX views_to_refold ON views (case_id) WHERE packed IS NULL",
    "CREATE TABLE standing (one INTEGER PRIMARY KEY CHECK (one = 1), body BLOB NOT NULL) STRICT",
)
PUT = """INSERT INTO views (case_id, epoch, as_of, position, next_at, packed) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (case_id) DO UPDATE SET epoch = excluded.epoch, as_of = excluded.as_of, position = excluded.position,
    next_at = excluded.next_at, packed = excluded.packed
    WHERE (excluded.epoch, excluded.as_of) > (epoch, as_of)
        OR (excluded.epoch, excluded.as_of) = (epoch, as_of) AND excluded.packed IS NOT NULL"""
"""Adds a `Row`, or puts it in place of an older one of its case. Older is a lower (epoch, as_of); of two that are
equally old, one that only says to refold gives way."""

Row = tuple[str, int, int, int, int | None, bytes | None]
"""A view as the file holds it: case, `epoch`, `as_of`, offset in `ccr.case-views` it was read at (-1 when this worker
made it), `next_at`, packed view. The words are those of `ViewRecord`."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file goes."""

    topic: str
    """Of the views; its name tells the generation."""
    partition: int
    mark: Mark | None = None
    """The newest one the file has."""
    read_to: int = 0
    """Offset in `ccr.case-views` up to which (exclusive) the file has all that counts."""
    seen: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Epoch → (offset of its last record that was read, lowest `as_of` of its records that were read)."""


write_standing = Encoder().encode
read_standing = Decoder(Standing).decode
