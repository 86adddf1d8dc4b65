"""The topics of a cluster as they are now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from services.engine.kafka.security import Security, aiokafka_settings

ASK_PATIENCE_MS = 15_000
"""How long one question to the cluster may take."""
_SET_FOR_THE_TOPIC = 1
"""Kafka's `ConfigSource.DYNAMIC_TOPIC_CONFIG`: somebody set it for this topic; all else is a broker's default."""


class KafkaUnreachable(RuntimeError):
    """The cluster does not answer, or refused; says where and what to do."""


@dataclass(frozen=True, slots=True)
class TopicStanding:
    """One topic as it is."""

    name: str
    partitions: int
    copies: int
    """Of the partition that has fewest."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Every setting and its value in force."""
    set_here: frozenset[str] = frozenset()
    """Names of the settings that were set for this topic."""


@asynccontextmanager
async def cluster_admin(bootstrap: str, security: Security | None = None) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that administers a cluster. Raises `KafkaUnreachable` and `SecurityRefused`."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=ASK_PATIENCE_MS, **aiokafka_settings(security)
    )
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as failed:
        raise KafkaUnreachable(
            f"Kafka at {bootstrap} did not answer or refused ({type(failed).__name__}): check the address, that the "
            f"brokers run (ccr kafka status), and that {_as_whom(security)}"
        ) from failed
    finally:
        await admin.close()


@asynccontextmanager
async def asked(bootstrap: str, of_what: str, security: Security | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer in no group, to ask a cluster `of_what` it has. Raises `KafkaUnreachable` and `SecurityRefused`."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, request_timeout_ms=ASK_PATIENCE_MS, **aiokafka_settings(security)
    )
    try:
        await consumer.start()
        yield consumer
    except (KafkaError, OSError) as failed:
        raise KafkaUnreachable(
            f"Kafka at {bootstrap} did not tell {of_what} ({type(failed).__name__}): see ccr kafka status"
        ) from failed
    finally:
        await consumer.stop()  # also one that did not start, which `async with` would leave


async def ends_of(
    bootstrap: str, partitions: Mapping[str, int], security: Security | None = None
) -> dict[TopicPartition, int]:
    """The offset behind the newest record of every partition; `partitions`: how many each topic has.

    Raises `KafkaUnreachable` and `SecurityRefused`.
    """
    wanted = [TopicPartition(topic, number) for topic, count in partitions.items() for number in range(count)]
    async with asked(bootstrap, f"how far {', '.join(partitions)} go", security) as consumer:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        return ends


def _as_whom(security: Security | None) -> str:
    if security is None:
        return "they ask for no password (else: --ca-file, --user, --password-file)"
    return f"{security.user}'s password, the authority {security.ca_file} and what {security.user} may do are right"


async def topics_on(admin: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, TopicStanding]:
    """Those of these topics that exist, as far as the brokers know. Raises `KafkaError`.

    A topic made a moment ago may be known to the broker that describes it, but not yet to the one that tells its
    settings: then it is left out, as if it did not exist yet.
    """
    wanted = sorted(names)
    described = await admin.describe_topics(wanted)
    found = {each["topic"]: each["partitions"] for each in described if not each["error_code"]}
    settings = await _settings_of(admin, sorted(found))
    return {
        name: TopicStanding(
            name,
            len(partitions),
            min(len(partition["replicas"]) for partition in partitions),
            *settings[name],
        )
        for name, partitions in found.items()
        if name in settings
    }


async def _settings_of(
    admin: AIOKafkaAdminClient, names: list[str]
) -> dict[str, tuple[dict[str, str], frozenset[str]]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {}
    for answer in await admin.describe_configs(asked):
        for error, _, _, name, entries in answer.resources:
            if error == UnknownTopicOrPartitionError.errno:
                continue
            if error:
                raise for_code(error)(f"settings of {name}")
            found[name] = (
                {setting: value for setting, value, *_ in entries},
                frozenset(setting for setting, _, _, source, *_ in entries if source == _SET_FOR_THE_TOPIC),
            )
    return found
