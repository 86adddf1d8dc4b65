"""What aiokafka could not decode, read once more by hand: one record batch, and nothing of its neighbours.

aiokafka gives a whole batch up for the name of one header, and does not tell where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

FETCH_BYTES = 1_048_576
"""Asked for at most; a larger batch is brought whole all the same, when it is the first."""
_READ_COMMITTED = 1
_LENGTH = Struct(">8xi")
"""A batch begins with its base offset and how many bytes follow behind this count."""
_COUNT = Struct(">57xi")
"""How many records it holds; they begin behind it."""
_CODECS = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}


class Damaged(RuntimeError):
    """A batch is not what was written, and what it says of its length cannot be trusted either."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A record, as `services.intake.inbound.reading` takes it."""

    offset: int
    value: bytes | None = field(repr=False)
    headers: tuple[tuple[str, bytes | None], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """One record batch, from the offset on that was asked for."""

    first: int
    end: int
    """The offset behind it."""
    records: tuple[Plain, ...]
    """None of an aborted transaction, of the broker's own marks, or where they cannot be decoded."""
    why: str | None = None
    """Why its records cannot be decoded; None when they can."""
    raw: bytes = field(default=b"", repr=False)
    """All of it as it lies on the topic, when its records cannot be decoded."""


async def read_closely(client: Any, tp: TopicPartition, offset: int) -> Batch | None:
    """The batch of a topic that holds `offset`; None when nothing is there yet. `client`: aiokafka's.

    Raises `KafkaError` as the broker has it for this topic, or when it cannot be asked, and `Damaged`.
    """
    leader = client.cluster.leader_for_partition(tp)
    if leader is None or leader == -1:
        raise LeaderNotAvailableError(tp)
    asked = FetchRequest(0, 1, FETCH_BYTES, _READ_COMMITTED, [(tp.topic, [(tp.partition, offset, FETCH_BYTES)])])
    ((_, ((_, code, _, _, _, aborted, _, fetched),)),) = (await client.send(leader, asked)).topics
    if code:
        raise for_code(code)(tp.topic)
    return batch_of(fetched, offset, aborted or ()) if fetched else None


def batch_of(fetched: bytes, offset: int, aborted: Any) -> Batch:
    """The first batch of what was fetched. `aborted`: (producer id, first offset) of transactions that were.

    Raises `Damaged`.
    """
    batch = MemoryRecords(fetched).next_batch()
    if not batch.validate_crc():
        raise Damaged(
            f"the records from offset {offset} on are damaged where they lie (wrong checksum): move the topic's "
            "leadership to another broker, or bring it back from a copy"
        )
    first, end = max(offset, batch.base_offset), batch.next_offset
    given_up = batch.is_transactional and any(
        producer == batch.producer_id and begun <= batch.base_offset for producer, begun in aborted
    )
    if batch.is_control_batch or given_up:
        return Batch(first, end, ())
    raw = fetched[: _LENGTH.size + _LENGTH.unpack_from(fetched)[0]]
    if batch.compression_type:
        codec = _CODECS.get(batch.compression_type, "an unknown codec")
        return Batch(first, end, (), f"compressed with {codec}, which is not undone here", raw)
    try:
        records = tuple(each for each in _records(raw, batch.base_offset) if each.offset >= offset)
    except (ValueError, IndexError):
        return Batch(first, end, (), "not formed as Kafka's records are", raw)
    return Batch(first, end, records)


def _records(raw: bytes, base: int) -> Iterator[Plain]:
    """https://kafka.apache.org/documentation/#record"""
    (count,), place = _COUNT.unpack_from(raw), _COUNT.size
    for _ in range(count):
        length, place = decode_varint(raw, place)
        end = place + length
        _, place = decode_varint(raw, place + 1)  # behind the attributes, which mean nothing: when it was written
        delta, place = decode_varint(raw, place)
        _, place = _bytes(raw, place)
        value, place = _bytes(raw, place)
        names, place = decode_varint(raw, place)
        headers: list[tuple[str, bytes | None]] = []
        for _ in range(names):
            name, place = _bytes(raw, place)
            said, place = _bytes(raw, place)
            headers.append(((name or b"").decode("utf-8", "replace"), said))
        if place != end:
            raise ValueError("a record is longer or shorter than it says")
        yield Plain(base + delta, value, tuple(headers))


def _bytes(raw: bytes, place: int) -> tuple[bytes | None, int]:
    length, place = decode_varint(raw, place)
    if length < 0:
        return None, place
    if place + length > len(raw):
        raise ValueError("a record ends behind its batch")
    return raw[place : place + length], place + length
