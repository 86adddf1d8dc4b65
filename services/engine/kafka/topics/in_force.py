"""How large the topics of a cluster are, and that those a service uses are as the catalogue has them."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient

from services.engine.kafka.security import Security
from services.engine.kafka.topics.catalogue import LAYOUT, Size, catalogue
from services.engine.kafka.topics.layout import read_layout
from services.engine.kafka.topics.required import hidden_from, require_topics
from services.engine.kafka.topics.standing import KafkaUnreachable, cluster_admin, topics_on


class NoTopics(KafkaUnreachable):
    """Kafka answers, and there are none of ours, or none that are shown to this user."""


NO_LAYOUT = "this cluster has no topics of the backbone yet: ccr kafka topics apply --partitions N"
MOST_COPIES = 3
"""Brokers that hold each record, where there are as many."""


async def copies_in_force(admin: AIOKafkaAdminClient) -> int:
    """How many brokers are to hold each record: as many as hold the layout, also while one of them is down; on a
    cluster that has none yet, as many as there are. Raises `KafkaError`."""
    layout = (await topics_on(admin, [LAYOUT])).get(LAYOUT)
    if layout is not None:
        return layout.copies
    return min(MOST_COPIES, len((await admin.describe_cluster())["brokers"]))


async def size_in_force(bootstrap: str, security: Security | None = None) -> Size:
    """The catalogue's size that the cluster's layout says. Raises `KafkaUnreachable`, of which `NoTopics` is one."""
    layout = await read_layout(bootstrap, security)
    if layout is None:
        raise NoTopics(NO_LAYOUT if security is None else f"{NO_LAYOUT}. {hidden_from(security.user)}")
    async with cluster_admin(bootstrap, security) as admin:
        return layout.size(await copies_in_force(admin))


async def checked_size(bootstrap: str, *names: str, security: Security | None = None) -> Size:
    """The size in force, once the topics that a service uses are as the catalogue has them.

    `names` as in the first generation. Raises `TopicsMismatch` and `KafkaUnreachable`.
    """
    size = await size_in_force(bootstrap, security)
    wanted = catalogue(size)
    by_case = {topic.name for topic in wanted if topic.by_case}
    used = [size.named(name) if size.named(name) in by_case else name for name in names]
    await require_topics(bootstrap, wanted, used, security)
    return size
