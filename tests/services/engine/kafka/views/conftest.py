"""Topics of one partition on the shared broker, written as a worker writes them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from services.engine.kafka.topics import cluster_admin
from services.engine.kafka.views import PartitionViews
from tests.support.kafka import make_topics


@dataclass(frozen=True, slots=True)
class Written:
    """The broker, and a topic for views and one for events."""

    bootstrap: str
    views: str
    events: str
    producer: AIOKafkaProducer

    async def write(self, topic: str, records: Iterable[tuple[bytes, bytes]]) -> range:
        """Write these in order; returns their offsets."""
        sent = [await self.producer.send(topic, value, key=key, partition=0) for key, value in records]
        placed = [(await each).offset for each in sent]
        return range(placed[0], placed[-1] + 1)

    async def settle(self, views: PartitionViews, offset: int) -> None:
        """A whole checkpoint, as the casebook does it."""
        checkpoint = views.checkpoint(offset)
        views.settle(checkpoint, await self.write(self.views, checkpoint.records))


@pytest_asyncio.fixture
async def written(shared_broker: str, fresh: str) -> AsyncIterator[Written]:
    settings = {"cleanup.policy": "compact", "max.message.bytes": "1048576"}
    async with cluster_admin(shared_broker) as admin:
        await make_topics(admin, NewTopic(f"{fresh}-views", 1, 1, topic_configs=settings))
        await make_topics(admin, NewTopic(f"{fresh}-events", 1, 1))
    async with AIOKafkaProducer(bootstrap_servers=shared_broker, acks="all", enable_idempotence=True) as producer:
        yield Written(shared_broker, f"{fresh}-views", f"{fresh}-events", producer)
