"""Topics closed against whoever still writes, and opened again. It is the brokers that refuse: a portal that was
forgotten, or was cut off from everything else, is refused as any other.

Asking for more copies in sync than there are would not do: brokers ask for no more than a partition has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.protocol.admin import DescribeConfigsRequest

from services.engine.kafka.topics.applied import SEEN_PATIENCE_S, apply
from services.engine.kafka.topics.catalogue import CLOSED_BYTES, LARGEST, Topic
from services.engine.kafka.topics.difference import Difference, differences
from services.engine.kafka.topics.standing import topics_on

_LOOK_EVERY_S = 0.1


async def close(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> tuple[Difference, ...]:
    """Have every broker refuse what is sent to these topics; returns what else is not as it has to be with them.

    What a leader had taken before may still wait for its copies. Raises `KafkaError`, `TimeoutError`.
    """
    left = await _settled(admin, [topic.closed() for topic in topics])
    request = DescribeConfigsRequest([(ConfigResourceType.TOPIC, topic.name, [LARGEST]) for topic in topics])
    async with asyncio.timeout(SEEN_PATIENCE_S):
        for broker in (await admin.describe_cluster())["brokers"]:
            while not await _refuses(admin, broker["node_id"], request):  # noqa: ASYNC110  # brokers tell no event
                await asyncio.sleep(_LOOK_EVERY_S)
    return left


async def open_again(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> None:
    """Have them take again what they are made for. Raises `KafkaError`."""
    await _settled(admin, topics)


async def _settled(admin: AIOKafkaAdminClient, topics: Sequence[Topic]) -> tuple[Difference, ...]:
    found = differences(topics, await topics_on(admin, [topic.name for topic in topics]))
    return await apply(admin, topics, found)


async def _refuses(admin: AIOKafkaAdminClient, broker: int, request: DescribeConfigsRequest) -> bool:
    """Whether this broker knows that all of these topics are closed."""
    answer = await admin._send_request_to_node(broker, request)
    return all(
        {name: value for name, value, *_ in entries}.get(LARGEST) == CLOSED_BYTES for *_, entries in answer.resources
    )
