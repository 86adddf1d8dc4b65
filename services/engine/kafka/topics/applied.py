"""The catalogue brought about: topics made and settings set. Partitions and copies are never changed in place."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from services.engine.kafka.topics.catalogue import Topic
from services.engine.kafka.topics.difference import Difference, differences
from services.engine.kafka.topics.standing import topics_on

SEEN_PATIENCE_S = 10.0
"""How long brokers may take to show a change; what is then still missing is told as left."""
_LOOK_EVERY_S = 0.1
_EXISTS = 36
"""Kafka's `TOPIC_ALREADY_EXISTS`: another that applied at the same time made it."""


async def apply(
    admin: AIOKafkaAdminClient, wanted: Iterable[Topic], found: Iterable[Difference]
) -> tuple[Difference, ...]:
    """Settle what can be settled; returns what remains for a person, once the brokers show the rest.

    Raises `KafkaError`.     Settings are set together per topic, as Kafka replaces them: what is not in the catalogue
    falls back to the default.
    """
    wanted, found = tuple(wanted), tuple(found)
    by_name = {topic.name: topic for topic in wanted}
    missing = [by_name[each.topic] for each in found if each.what == "topic"]
    changed = [by_name[name] for name in dict.fromkeys(each.topic for each in found if each.what == "setting")]
    if missing:
        made = await admin.create_topics(
            [NewTopic(t.name, t.partitions, t.copies, topic_configs=dict(t.settings)) for t in missing]
        )
        for name, error, *words in made.topic_errors:
            if error not in (0, _EXISTS):
                raise for_code(error)(f"{name}: {words[0] if words else ''}")
    if changed:
        resources = [ConfigResource(ConfigResourceType.TOPIC, t.name, dict(t.settings)) for t in changed]
        for answer in await admin.alter_configs(resources):
            for error, words, _, name in answer.resources:
                if error:
                    raise for_code(error)(f"{name}: {words}")
    return await _seen(admin, tuple(wanted)) if missing or changed else found


async def _seen(admin: AIOKafkaAdminClient, wanted: tuple[Topic, ...]) -> tuple[Difference, ...]:
    """What differs once the brokers show what the controller has decided, which takes them a moment."""
    names = [topic.name for topic in wanted]
    for _ in range(int(SEEN_PATIENCE_S / _LOOK_EVERY_S)):
        left = differences(wanted, await topics_on(admin, names))
        if not any(each.applicable for each in left):
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    return left
