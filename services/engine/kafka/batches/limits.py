"""How large a record batch a topic takes: the broker's own word, asked once at start."""

from __future__ import annotations

from collections.abc import Iterable

from services.engine.kafka.security import Security
from services.engine.kafka.topics.standing import KafkaUnreachable, cluster_admin, topics_on


async def read_limits(bootstrap: str, topics: Iterable[str], security: Security | None = None) -> dict[str, int]:
    """`max.message.bytes` of each topic. Raises `KafkaUnreachable`, also for a topic that does not exist."""
    wanted = sorted(topics)
    async with cluster_admin(bootstrap, security) as admin:
        found = await topics_on(admin, wanted)
    missing = [name for name in wanted if name not in found]
    if missing:
        raise KafkaUnreachable(f"Kafka at {bootstrap} has no topic {', '.join(missing)}: ccr kafka topics apply")
    return {name: int(topic.settings["max.message.bytes"]) for name, topic in found.items()}
