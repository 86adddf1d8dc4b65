"""Whether a real Kafka can be had here, and topics on it."""

from __future__ import annotations

import asyncio
import os

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.engine.kafka.broker import BrokerError
from services.engine.kafka.broker.jars import class_path, java
from services.engine.kafka.topics import topics_on


def need_kafka() -> None:
    """Skip where there is neither Kafka nor a way to fetch it; in CI that is a failure."""
    try:
        java()
        class_path()
    except BrokerError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have a broker: {missing}")
        pytest.skip(str(missing))


async def make_topics(admin: AIOKafkaAdminClient, *topics: NewTopic) -> None:
    """Create topics, and wait until the brokers show what the controller has decided."""
    made = await admin.create_topics(list(topics))
    assert [error for _, error, *_ in made.topic_errors] == [0] * len(topics)
    while len(await topics_on(admin, [topic.name for topic in topics])) < len(topics):
        await asyncio.sleep(0.05)
