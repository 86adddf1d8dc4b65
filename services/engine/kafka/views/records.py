"""Records of `ccr.case-views`: a view, a view that must be refolded, and the mark that ends a checkpoint.

A view's record is a fixed head and the packed view. The head says what a store needs without unpacking: which owner
wrote it, up to which input offset, and when the case's earliest deadline is. The deadlines themselves are in the links
of the view, and whoever fires one folds that view anyway.
"""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from msgspec import MsgspecError
from msgspec.msgpack import Decoder, Encoder

VERSION = 1
"""First byte of every value."""
MARK_KEY = b"@"
"""Key of a partition's mark; no case has it."""
_HEAD = Struct(">BQQq")
VIEW_HEAD_BYTES = _HEAD.size
"""What the record of a view is larger than the packed view."""
_NO_DEADLINE = -(2**63)


class UnknownRecord(ValueError):
    """A record that this release cannot read; says what to do."""


class ViewRecord(NamedTuple):
    """A view as a record."""

    epoch: int
    """Of the owner that wrote it."""
    as_of: int
    """Input offset up to which (exclusive) the view holds the events of its case."""
    next_at: int | None
    """The case's earliest pending deadline, in microseconds since 1970."""
    packed: bytes | None
    """None when the case must be refolded from `ccr.events`: its view is larger than a record may be."""


class Mark(NamedTuple):
    """All views up to an input offset are written. The newest has the highest (epoch, offset)."""

    epoch: int
    offset: int
    begins: int
    """Where in `ccr.case-views` the time of this owner begins. What stands behind that with a lower epoch was written
    by an owner that had not noticed the end of its own."""
    line: bytes
    """Drawn with the first mark of a topic, then kept by every owner: a local file with another one belongs to a
    cluster that is no more, whatever its offsets say."""
    topic: str
    partition: int
    """Where it was written. A repartition copies it to another topic, whose offsets it knows nothing of."""


_write_mark = Encoder().encode
_read_mark = Decoder(Mark).decode


def encode_view(record: ViewRecord) -> bytes:
    """The value of a view's record."""
    next_at = _NO_DEADLINE if record.next_at is None else record.next_at
    return _HEAD.pack(VERSION, record.epoch, record.as_of, next_at) + (record.packed or b"")


def decode_view(value: bytes) -> tuple[int, int, int | None, bytes | None]:
    """The fields of the `ViewRecord` that `encode_view` was given, without the record: a worker that begins reads them
    by the million. Raises `UnknownRecord`."""
    try:
        version, epoch, as_of, next_at = _HEAD.unpack_from(value)
    except error:
        raise UnknownRecord(f"a record of {len(value)} bytes is too short for a view") from None
    if version != VERSION:
        raise _unknown(version)
    return epoch, as_of, None if next_at == _NO_DEADLINE else next_at, value[VIEW_HEAD_BYTES:] or None


def encode_mark(mark: Mark) -> bytes:
    """The value of a mark's record."""
    return bytes([VERSION]) + _write_mark(mark)


def decode_mark(value: bytes) -> Mark:
    """What `encode_mark` was given. Raises `UnknownRecord`."""
    if value[:1] != bytes([VERSION]):
        raise _unknown(value[0] if value else None)
    try:
        return _read_mark(memoryview(value)[1:])
    except MsgspecError:
        raise UnknownRecord(f"a mark of {len(value)} bytes is damaged: it counts as missing") from None


def _unknown(version: int | None) -> UnknownRecord:
    return UnknownRecord(
        f"a record of version {version}, and this release reads version {VERSION}: its case is refolded from "
        "ccr.events, or run the release that wrote it"
    )
