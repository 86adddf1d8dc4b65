"""Whether a cluster really answers: a process that runs may still be reading its log."""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from services.engine.kafka.broker.layout import HOST, Cluster, Node
from services.engine.kafka.broker.secured import security_of
from services.engine.kafka.security import aiokafka_settings

ANSWER_PATIENCE_MS = 2_000
"""How long one question to a node may take."""


async def brokers_seen_by(cluster: Cluster, node: Node) -> frozenset[int]:
    """Ids of the brokers that a node says are in service; none when it does not answer."""
    if not await _listens(node):
        return frozenset()  # The client would write an error to the log for every time it asked.
    client = AIOKafkaClient(
        bootstrap_servers=f"{HOST}:{node.port}",
        request_timeout_ms=ANSWER_PATIENCE_MS,
        **aiokafka_settings(security_of(cluster)),
    )
    try:
        await client.bootstrap()
        return frozenset(broker.nodeId for broker in client.cluster.brokers())
    except (KafkaError, OSError):
        return frozenset()
    finally:
        await client.close()


async def in_service(cluster: Cluster) -> bool:
    """Whether every node answers and knows of all the others."""
    everyone = {node.id for node in cluster.nodes}
    for node in cluster.nodes:
        if await brokers_seen_by(cluster, node) != everyone:
            return False
    return True


async def _listens(node: Node) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, node.port)
    except OSError:
        return False
    writer.close()
    return True
