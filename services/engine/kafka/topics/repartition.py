"""More partitions for the topics keyed by case, without parting a case from its history.

Kafka can add partitions to a topic, but then a case's next event goes to another partition than its earlier ones, to a
worker that does not know it, and its order is lost. So the topics are written anew under the name of the next
generation, record by record in order, and a single record on the layout topic then puts it in force. Until that record
is written, nothing has changed; a run that was cut off is simply run again.

Services must be stopped, with everything read: that is checked before and after. The old generation is kept for the way
back, until somebody deletes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.kafka.topics.applied import apply
from services.engine.kafka.topics.catalogue import Size, Topic, catalogue
from services.engine.kafka.topics.difference import differences
from services.engine.kafka.topics.layout import Layout, write_layout
from services.engine.kafka.topics.standing import cluster_admin, topics_on

AT_ONCE = 2_000
"""Records on their way at a time."""
GONE_PATIENCE_S = 30.0
"""How long the half-written topics of a run that was cut off may take to be deleted."""
_READ_PATIENCE_MS = 1_000


class RepartitionRefused(RuntimeError):
    """It would lose or misplace something now; says what, and what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Repartitioned:
    """What was done."""

    before: Size
    after: Size
    records: int
    groups: tuple[str, ...]
    """Consumer groups that read on at the same place in the new topics."""


async def repartition(
    bootstrap: str,
    now: Size,
    partitions: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    security: Security | None = None,
) -> Repartitioned:
    """Write the topics keyed by case anew with more partitions, and put them in force.

    `progress` is called with (records copied, records in all at most). Raises `RepartitionRefused` while a service
    runs, has not read everything, or writes; `ValueError` unless there are more partitions; `KafkaUnreachable`.
    """
    if partitions <= now.partitions:
        raise ValueError(f"partitions can only be added: there are {now.partitions}, asked for are {partitions}")
    after = Size(partitions, now.copies, now.generation + 1)
    old, new = _by_case(now), _by_case(after)
    async with cluster_admin(bootstrap, security) as admin:
        groups = await _groups_at_rest(bootstrap, security, admin, old)
        await _made_anew(admin, new)
        ends = await _ends(bootstrap, security, old)
        copied = await _copied(bootstrap, security, old, new, ends, progress)
        if await _ends(bootstrap, security, old) != ends:
            raise RepartitionRefused(
                "something wrote to the topics while they were copied: stop every service (intake too), and run it "
                "again"
            )
        # Again: one that started meanwhile would go on with the old topics.
        if await _groups_at_rest(bootstrap, security, admin, old) != groups:
            raise RepartitionRefused("a service read the topics while they were copied: stop it, and run it again")
    await _read_on(bootstrap, security, groups, await _ends(bootstrap, security, new))
    await write_layout(bootstrap, Layout(after.generation, after.partitions), security)
    return Repartitioned(now, after, copied, groups)


def _by_case(size: Size) -> list[Topic]:
    return [topic for topic in catalogue(size) if topic.by_case]


async def _ends(bootstrap: str, security: Security | None, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, **aiokafka_settings(security))
    async with consumer:
        wanted = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        return ends


async def _groups_at_rest(
    bootstrap: str, security: Security | None, admin: AIOKafkaAdminClient, old: Sequence[Topic]
) -> tuple[str, ...]:
    """Groups that read these topics. Raises `RepartitionRefused` unless all are stopped and have read everything."""
    names = {topic.name for topic in old}
    ends = await _ends(bootstrap, security, old)
    found = []
    for group, *_ in await admin.list_consumer_groups():
        positions = await admin.list_consumer_group_offsets(group)
        read = {tp: each.offset for tp, each in positions.items() if tp.topic in names}
        if not read:
            continue
        (described,) = (await admin.describe_consumer_groups([group]))[0].groups
        if described[5]:
            raise RepartitionRefused(f"{group} runs ({len(described[5])} worker(s)): stop every service first")
        behind = {
            tp.topic for tp, end in ends.items() if end > read.get(tp, 0) and any(tp.topic == r.topic for r in read)
        }
        if behind:
            raise RepartitionRefused(
                f"{group} has not read all of {', '.join(sorted(behind))}: stop intake, let it finish, then stop it"
            )
        found.append(group)
    return tuple(sorted(found))


async def _made_anew(admin: AIOKafkaAdminClient, new: Sequence[Topic]) -> None:
    """Empty topics of the next generation; what a run that was cut off left of them is not in force, and goes."""
    names = [topic.name for topic in new]
    left = await topics_on(admin, names)
    if left:
        await admin.delete_topics(sorted(left))
        async with asyncio.timeout(GONE_PATIENCE_S):
            while await topics_on(admin, names):  # noqa: ASYNC110  # another process's deed tells no event
                await asyncio.sleep(0.1)
    await apply(admin, new, differences(new, {}))


async def _copied(
    bootstrap: str,
    security: Security | None,
    old: Sequence[Topic],
    new: Sequence[Topic],
    ends: Mapping[TopicPartition, int],
    progress: Callable[[int, int], None],
) -> int:
    target = {before.name: after.name for before, after in zip(old, new, strict=True)}
    total, copied = sum(ends.values()), 0
    secure = aiokafka_settings(security)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, max_poll_records=AT_ONCE, isolation_level="read_committed", **secure
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=256 * 1024,
        **secure,
    )
    async with consumer, producer:
        consumer.assign(list(ends))
        await consumer.seek_to_beginning(*ends)
        while not await _all_read(consumer, ends):
            sent = []
            for tp, records in (await consumer.getmany(timeout_ms=_READ_PATIENCE_MS)).items():
                for record in records:
                    if record.key is None:
                        raise RepartitionRefused(
                            f"{tp.topic}, partition {tp.partition}, offset {record.offset} has no case as its key: it "
                            "belongs to no partition. It must not be there; nothing was changed"
                        )
                    sent.append(
                        await producer.send(
                            target[tp.topic],
                            record.value,
                            key=record.key,
                            timestamp_ms=record.timestamp,
                            headers=list(record.headers),
                        )
                    )
            await asyncio.gather(*sent)
            copied += len(sent)
            progress(copied, total)
    return copied


async def _all_read(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    for tp, end in ends.items():
        if await consumer.position(tp) < end:
            return False
    return True


async def _read_on(
    bootstrap: str, security: Security | None, groups: Sequence[str], ends: Mapping[TopicPartition, int]
) -> None:
    """Everything was read: each group goes on behind the last record that was copied."""
    for group in groups:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, **aiokafka_settings(security)
        )
        async with consumer:
            consumer.assign(list(ends))
            await consumer.commit(dict(ends))
