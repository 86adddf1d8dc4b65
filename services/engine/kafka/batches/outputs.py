"""Outputs of a batch, sent as record batches to the input's own partition number.

No future, no hash and no task for a record: the whole is built at once and acknowledged at once. Keyed topics have
equal partition counts and the same key, so the input's partition is the output's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import aiokafka
from aiokafka.producer.message_accumulator import BatchBuilder

PREFERRED_BYTES = 512 * 1024
"""A record batch grows to this, or to the topic's limit when that is smaller; larger ones gain nothing."""
_NO_HEADERS: list[tuple[str, bytes]] = []
_UNCOMPRESSED = 0


class Output(NamedTuple):
    """One record to be written. A tuple, as one is made for every event: a frozen dataclass costs three times more."""

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
        by_topic: dict[str, list[Output]] = {}
        for output in outputs:
            by_topic.setdefault(output.topic, []).append(output)
        on_their_way: list[asyncio.Future[object]] = []
        for topic, records in by_topic.items():
            on_their_way += await self._sent(topic, partition, records)
        await asyncio.gather(*on_their_way)

    async def _sent(self, topic: str, partition: int, records: Sequence[Output]) -> list[asyncio.Future[object]]:
        producer = self._producer()
        builders, oversized = built(records, self._limits[topic], partition)
        for record in oversized:
            await self._quarantined(record)
        # Two calls for one partition would else mix their batches.
        async with self._turn.setdefault((topic, partition), asyncio.Lock()):
            return [await producer.send_batch(each, topic, partition=partition) for each in builders]


def built(
    records: Sequence[Output], limit: int, partition: int = 0
) -> tuple[list[BatchBuilder], list[OversizedRecord]]:
    """Records as batches of at most `limit` bytes, in order, and those that are larger alone."""
    size = min(limit, PREFERRED_BYTES)
    builders: list[BatchBuilder] = []
    oversized: list[OversizedRecord] = []
    builder: BatchBuilder | None = None
    for record in records:
        if builder is None or not _appended(builder, record):
            builder = BatchBuilder(size, _UNCOMPRESSED)
            _appended(builder, record)
            if builder.size() > limit:
                oversized.append(OversizedRecord(record, partition, builder.size(), limit))
                builder = None
                continue
            builders.append(builder)
    for each in builders:
        each.close()
    return builders, oversized


def _appended(builder: BatchBuilder, record: Output) -> bool:
    headers = list(record.headers) if record.headers else _NO_HEADERS
    added = builder.append(timestamp=record.timestamp_ms, key=record.key, value=record.value, headers=headers)
    return added is not None
