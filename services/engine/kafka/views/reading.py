"""A consumer of whole partitions: no group, every offset set by us, fetches as large as bulk reading needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.engine.kafka.batches.fetched import Together, install
from services.engine.kafka.batches.records import FetchedRecords
from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.kafka.topics import KafkaUnreachable

FETCH_BYTES = 4 * 2**20
"""Of one partition in one fetch; what one fetch brings is in memory at once."""
PATIENCE_S = 60.0
"""Reading that does not get on for so long has failed."""
_POLL_MS = 500


@asynccontextmanager
async def reader(bootstrap: str, topics: Sequence[str], security: Security | None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer to which partitions of these topics may be assigned. Raises `KafkaUnreachable`."""
    install()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        key_deserializer=Together(frozenset(topics)),
        enable_auto_commit=False,
        # A position that is out of range is a finding, not something to be put right silently.
        auto_offset_reset="none",
        max_partition_fetch_bytes=FETCH_BYTES,
        isolation_level="read_committed",
        **aiokafka_settings(security),
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError) as failed:
        raise KafkaUnreachable(
            f"{', '.join(topics)} could not be read from Kafka at {bootstrap} ({type(failed).__name__}): check that "
            "its brokers run (ccr kafka status) and that this service may read there"
        ) from failed
    finally:
        await consumer.stop()


async def bounds(consumer: AIOKafkaConsumer, part: TopicPartition) -> tuple[int, int]:
    """(offset of the first record, offset after the last) of a partition now. Raises `KafkaError`."""
    first = await consumer.beginning_offsets([part])
    end = await consumer.end_offsets([part])
    return first[part], end[part]


async def between(
    consumer: AIOKafkaConsumer, part: TopicPartition, start: int, end: int
) -> AsyncIterator[FetchedRecords]:
    """The records of a partition from `start` to `end` (exclusive), as they are fetched; the last may lie behind it.

    Raises `KafkaError`, and `KafkaUnreachable` when nothing more comes.
    """
    if start >= end:
        return
    consumer.assign([part])
    consumer.seek(part, start)
    position, since = start, monotonic()
    while position < end:
        for records in (await consumer.getmany(part, timeout_ms=_POLL_MS)).get(part, ()):
            yield records
        reached = await consumer.position(part)
        if reached > position:
            position, since = reached, monotonic()
        elif monotonic() - since > PATIENCE_S:
            raise KafkaUnreachable(
                f"{part.topic}, partition {part.partition}: nothing came from offset {position} of {end} for "
                f"{PATIENCE_S:.0f} s; check that its brokers run (ccr kafka status)"
            )
