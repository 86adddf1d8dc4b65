"""Which generation of the topics keyed by case counts. It lies on the cluster itself: all services see the same."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition

from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.kafka.topics.catalogue import LAYOUT, Size
from services.engine.kafka.topics.standing import asked

_KEY = b"layout"
_PARTITION = TopicPartition(LAYOUT, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """What all services go by."""

    generation: int
    partitions: int

    def size(self, copies: int) -> Size:
        """The catalogue's size of this layout."""
        return Size(self.partitions, copies, self.generation)


async def read_layout(bootstrap: str, security: Security | None = None) -> Layout | None:
    """The layout in force; None when none was ever written. Raises `KafkaUnreachable` and `SecurityRefused`."""
    async with asked(bootstrap, "its layout", security) as consumer:
        if LAYOUT not in await consumer.topics():
            return None
        consumer.assign([_PARTITION])
        await consumer.seek_to_beginning(_PARTITION)
        end = (await consumer.end_offsets([_PARTITION]))[_PARTITION]
        newest = None
        while await consumer.position(_PARTITION) < end:
            newest = Layout(**orjson.loads((await consumer.getone(_PARTITION)).value))
        return newest


async def write_layout(bootstrap: str, layout: Layout, security: Security | None = None) -> None:
    """Put a layout in force, on all replicas in sync. Raises `KafkaError`."""
    value = orjson.dumps({"generation": layout.generation, "partitions": layout.partitions})
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, **aiokafka_settings(security)
    )
    async with producer:
        await producer.send_and_wait(LAYOUT, value, key=_KEY, partition=0)
