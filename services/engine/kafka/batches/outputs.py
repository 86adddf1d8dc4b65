"""Outputs of a batch, sent as record batches to the input's own partition number.

No future, no hash and no task for a record: the whole is built at once and acknowledged at once. Keyed topics have
equal partition counts and the same key, so the input's partition is the output's.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiokafka
import msgspec
from aiokafka.producer.message_accumulator import BatchBuilder

PREFERRED_BYTES = 512 * 1024
"""A record batch grows to this, or to the topic's limit when that is smaller; larger ones gain nothing."""
_NO_HEADERS: list[tuple[str, bytes]] = []
_UNCOMPRESSED = 0


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


Quarantined = Callable[[OversizedRecord], Awaitable[None]]
"""Keeps a record that is too large, durably, before the input is acknowledged."""


class Outputs:
    """Sends outputs through an app's producer, which must be idempotent with acks=all (`SafeProducer`).

    Batches of one partition are sent in the order given, each acknowledged before `send` returns. Where the broker's
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
        self._turn: dict[tuple[str, int], asyncio.Lock] = {}

    async def send(self, partition: int, outputs: Iterable[Output]) -> None:
        """Write all, in order, each topic to this partition; returns when all replicas in sync have them.

        Raises `KeyError` for a topic without a limit, `aiokafka.errors.KafkaError` when Kafka refused.
        """
        by_topic: defaultdict[str, list[Output]] = defaultdict(list)
        for output in outputs:
            by_topic[output.topic].append(output)
        on_their_way: list[asyncio.Future[Any]] = []
        for topic, records in by_topic.items():
            on_their_way += [future for future, _ in await self._sent(topic, partition, records)]
        await asyncio.gather(*on_their_way)

    async def placed(self, partition: int, records: Sequence[Output]) -> range | None:
        """As `send`, for records of one topic; returns the offsets at which they stand.

        None when they do not follow one another (somebody else wrote between, or one was too large), or when the
        broker does not tell, as for a batch that it had already.
        """
        sent = await self._sent(records[0].topic, partition, records)
        found = await asyncio.gather(*(future for future, _ in sent))
        end = first = found[0].offset if found else -1
        for each, (_, count) in zip(found, sent, strict=True):
            if each.offset != end or end < 0:
                return None
            end += count
        return range(first, end) if end - first == len(records) else None

    async def _sent(
        self, topic: str, partition: int, records: Sequence[Output]
    ) -> list[tuple[asyncio.Future[Any], int]]:
        producer = self._producer()
        builders, oversized = built(records, self._limits[topic], partition)
        for record in oversized:
            await self._quarantined(record)
        # Two calls for one partition would else mix their batches.
        async with self._turn.setdefault((topic, partition), asyncio.Lock()):
            return [
                (await producer.send_batch(each, topic, partition=partition), each.record_count()) for each in builders
            ]


def built(
    records: Sequence[Output], limit: int, partition: int = 0
) -> tuple[list[BatchBuilder], list[OversizedRecord]]:
    """Records as batches of at most `limit` bytes, in order, and those that are larger alone."""
    size, now_ms = min(limit, PREFERRED_BYTES), time.time_ns() // 1_000_000
    builders: list[BatchBuilder] = []
    oversized: list[OversizedRecord] = []
    builder, append, count = *_opened(size), 0
    for record in records:
        stamp = now_ms if record.timestamp_ms is None else record.timestamp_ms
        headers = list(record.headers) if record.headers else _NO_HEADERS
        if append(count, stamp, record.key, record.value, headers) is None:
            builders.append(_closed(builder, count))
            builder, append, count = *_opened(size), 0
            append(count, stamp, record.key, record.value, headers)
        count += 1
        # The first is taken whatever its size.
        if count == 1 and builder.size() > limit:
            oversized.append(OversizedRecord(record, partition, builder.size(), limit))
            builder, append, count = *_opened(size), 0
    if count:
        builders.append(_closed(builder, count))
    return builders, oversized


def _opened(size: int) -> tuple[BatchBuilder, Callable[..., object]]:
    """A builder, and what appends to it: its own `append` costs more for a record than all the rest of `built`."""
    builder = BatchBuilder(size, _UNCOMPRESSED)
    return builder, builder._builder.append


def _closed(builder: BatchBuilder, count: int) -> BatchBuilder:
    builder._relative_offset = count
    builder.close()
    return builder
