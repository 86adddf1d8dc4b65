"""Outputs of a batch, sent as record batches to the input's own partition number.

No future, no hash and no task for a record: the whole is built at once and acknowledged at once. Keyed topics have
equal partition counts and the same key, so the input's partition is the output's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

import aiokafka
import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder

PREFERRED_BYTES = 512 * 1024
"""A record batch grows to this, or to the topic's limit when that is smaller; larger ones gain nothing."""
_NO_HEADERS: list[tuple[str, bytes]] = []
_UNCOMPRESSED = 0
_TOPIC = attrgetter("topic")


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to be written. One is made for every event: this is the cheapest to make, and no work for the garbage
    collector.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    """Milliseconds since 1970, UTC; the time of sending when left out."""
    headers: Sequence[tuple[str, bytes]] = ()

    def __repr__(self) -> str:
        return f"Output(topic={self.topic!r}, key={self.key!r})"


@dataclass(frozen=True, slots=True)
class OversizedRecord:
    """A record that no batch of its topic can hold: for quarantine."""

    output: Output
    partition: int
    size: int
    """Bytes of a batch that holds only this record."""
    limit: int
    """Most bytes of a batch of that topic."""


Packed = tuple[list[BatchBuilder], list[OversizedRecord]]
"""Record batches of one topic, and what none of them can hold."""

Quarantined = Callable[[OversizedRecord], Awaitable[None]]
"""Keeps a record that is too large, durably, before the input is acknowledged."""


class Outputs:
    """Sends outputs through an app's producer, which must be idempotent with acks=all (`SafeProducer`).

    Batches of one partition are sent in the order given, those of one call before those of the next, each acknowledged
    before `send` is done; so is what is too large quarantined, which holds up no later call. Where the broker's
    limit was lowered since start, it refuses, `send` raises and the worker must start anew: an idempotent producer
    cannot go on after a batch that was refused, and the limit is read at start.
    """

    def __init__(
        self,
        producer: Callable[[], aiokafka.AIOKafkaProducer],
        limits: Mapping[str, int],
        quarantined: Quarantined,
    ) -> None:
        self._producer = producer
        self._limits = dict(limits)
        self._quarantined = quarantined
        self._turn: dict[int, asyncio.Lock] = {}
        """By partition, of all topics together. Whoever waits for it gets it in the order of asking."""

    def send(self, partition: int, outputs: Iterable[Output]) -> Coroutine[Any, Any, None]:
        """Write all, in order, each topic to this partition; awaited, until all replicas in sync have them.

        They are packed before it returns: given by a generator, none is kept. Raises `KeyError` for a topic without a
        limit; awaited, `aiokafka.errors.KafkaError` when Kafka refused.
        """
        packings: dict[str, _Packing] = {}
        for topic, run in groupby(outputs, _TOPIC):
            if topic not in packings:
                packings[topic] = _Packing(self._limits[topic], partition)
            packings[topic].add(run)
        return self._written(partition, {topic: packing.done() for topic, packing in packings.items()})

    async def placed(self, partition: int, records: Sequence[Output]) -> range | None:
        """As `send`, for records of one topic; returns the offsets at which they stand.

        None when they do not follow one another (somebody else wrote between, or one was too large), or when the
        broker does not tell, as for a batch that it had already.
        """
        topic = records[0].topic
        packed = built(records, self._limits[topic], partition)
        found = await self._acknowledged(partition, {topic: packed})
        end = first = found[0].offset if found else -1
        for each, builder in zip(found, packed[0], strict=True):
            if each.offset != end or end < 0:
                return None
            end += builder.record_count()
        return range(first, end) if end - first == len(records) else None

    async def _written(self, partition: int, packed: Mapping[str, Packed]) -> None:
        await self._acknowledged(partition, packed)

    async def _acknowledged(self, partition: int, packed: Mapping[str, Packed]) -> list[Any]:
        """What the broker said of each batch, in order, once it has all and what is too large is kept."""
        producer = self._producer()
        # Two calls would else mix their batches, or one overtake the other on the second topic.
        async with self._turn.setdefault(partition, asyncio.Lock()):
            on_their_way = [
                await producer.send_batch(each, topic, partition=partition)
                for topic, (builders, _) in packed.items()
                for each in builders
            ]
        # Not in that turn: keeping it may be an output too, of this very partition.
        kept = [self._quarantined(record) for _, oversized in packed.values() for record in oversized]
        said = await asyncio.gather(*on_their_way, *kept)
        return said[: len(on_their_way)]


def built(records: Iterable[Output], limit: int, partition: int = 0) -> Packed:
    """Records of one topic as batches of at most `limit` bytes, in order, and those that are larger alone."""
    packing = _Packing(limit, partition)
    packing.add(records)
    return packing.done()


class _Packing:
    """Records of one topic, being packed."""

    def __init__(self, limit: int, partition: int) -> None:
        self._limit, self._partition = limit, partition
        self._size = min(limit, PREFERRED_BYTES)
        self._open = BatchBuilder(self._size, _UNCOMPRESSED)
        self._count = 0
        self._builders: list[BatchBuilder] = []
        self._oversized: list[OversizedRecord] = []

    def add(self, records: Iterable[Output]) -> None:
        """Pack more of them."""
        now_ms = time.time_ns() // 1_000_000
        # A builder's own `append` costs more for a record than all the rest here.
        append, count = self._open._builder.append, self._count
        for record in records:
            stamp = now_ms if record.timestamp_ms is None else record.timestamp_ms
            headers = list(record.headers) if record.headers else _NO_HEADERS
            if append(count, stamp, record.key, record.value, headers) is None:
                append, count = self._next(count), 0
                append(count, stamp, record.key, record.value, headers)
            count += 1
            # The first is taken whatever its size.
            if count == 1 and self._open.size() > self._limit:
                self._oversized.append(OversizedRecord(record, self._partition, self._open.size(), self._limit))
                append, count = self._next(0), 0
        self._count = count

    def done(self) -> Packed:
        """All of it."""
        self._next(self._count)
        return self._builders, self._oversized

    def _next(self, count: int) -> Callable[..., object]:
        """Close the open batch, of so many records, and open another."""
        if count:
            self._open._relative_offset = count
            self._open.close()
            self._builders.append(self._open)
        self._open = BatchBuilder(self._size, _UNCOMPRESSED)
        append: Callable[..., object] = self._open._builder.append
        return append
