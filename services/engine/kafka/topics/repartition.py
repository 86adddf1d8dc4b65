"""More partitions for the topics keyed by case, without parting a case from its history.

Kafka can add partitions to a topic, but then a case's next event goes to another partition than its earlier ones, to a
worker that does not know it, and its order is lost. So the topics are written anew under the name of the next
generation, record by record in order, and a single record on the layout topic then puts it in force. Until that record
is written, the old ones count; a run that was cut off is simply run again.

Services must be stopped, with everything read. Of those that read, that is checked before and after. One that only
writes, a portal, cannot be seen: so the old topics are closed while they are copied, and stay so. Its events wait in
its store, and go to the new topics once it is started again. The old generation is kept for the way back, until
somebody deletes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import ConsumerRecord

from services.engine.kafka.outgoing import PATIENCE_S
from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.kafka.security.principals import ADMIN
from services.engine.kafka.topics.applied import apply
from services.engine.kafka.topics.catalogue import LINKS, MAX_EVENT_RECORD_BYTES, Size, Topic, catalogue
from services.engine.kafka.topics.closing import close, open_again
from services.engine.kafka.topics.difference import differences
from services.engine.kafka.topics.layout import Layout, write_layout
from services.engine.kafka.topics.standing import KafkaUnreachable, cluster_admin, ends_of, topics_on

ORIGIN = "origin"
"""Header on copied records of `ccr.links`: topic and partition where they were told first. The offset that each tells
of counts there, and among the offsets of the new topics means nothing."""
AT_ONCE = 2_000
"""Records on their way at a time."""
ACKNOWLEDGED_S = PATIENCE_S
"""What a broker had taken before its topic was closed is acknowledged by then, or its event counts as not sent."""
GONE_PATIENCE_S = 30.0
"""How long the half-written topics of a run that was cut off may take to be deleted."""
_READ_PATIENCE_MS = 1_000


class RepartitionRefused(RuntimeError):
    """It would lose or misplace something now; says what, and what to do. Nothing was changed."""


class LeftClosed(RuntimeError):
    """It did not come to its end, and the old topics take nothing more; says what to do."""


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
    runs, has not read everything, or writes all the same; `ValueError` unless there are more partitions;
    `KafkaUnreachable`; `LeftClosed`.
    """
    if partitions <= now.partitions:
        raise ValueError(f"partitions can only be added: there are {now.partitions}, asked for are {partitions}")
    after = Size(partitions, now.copies, now.generation + 1)
    old, new = _by_case(now), _by_case(after)
    async with cluster_admin(bootstrap, security) as admin:
        await _may_copy(bootstrap, security, old)
        await _groups_at_rest(bootstrap, security, admin, old)  # nothing is closed under those who work
    try:
        async with cluster_admin(bootstrap, security) as admin:
            copied, groups = await _copied_closed(bootstrap, security, admin, old, new, progress)
        await _read_on(bootstrap, security, groups, await _ends(bootstrap, security, new), _names(old, new))
    except BaseException as failed:
        await _opened_again(bootstrap, security, old, failed)
        raise
    try:
        await write_layout(bootstrap, Layout(after.generation, after.partitions), security)
    except (KafkaError, OSError) as failed:  # it may be in force all the same: nothing may be written to the old ones
        raise LeftClosed(
            f"Kafka did not confirm that the new topics are in force ({type(failed).__name__}): once it answers, look "
            "with ccr kafka topics plan"
        ) from failed
    return Repartitioned(now, after, copied, tuple(groups))


async def _copied_closed(
    bootstrap: str,
    security: Security | None,
    admin: AIOKafkaAdminClient,
    old: Sequence[Topic],
    new: Sequence[Topic],
    progress: Callable[[int, int], None],
) -> tuple[int, Mapping[str, Set[str]]]:
    """Close the old topics and copy them; returns how many records, and the groups that had read them, with the topics
    each had read."""
    left = await close(admin, old)
    if left:
        raise RepartitionRefused(f"the topics are not as they have to be: {left[0]}")
    await asyncio.sleep(ACKNOWLEDGED_S)
    groups = await _groups_at_rest(bootstrap, security, admin, old)
    await _made_anew(admin, new)
    ends = await _ends(bootstrap, security, old)
    copied = await _copied(bootstrap, security, old, new, ends, progress)
    await close(admin, old)  # somebody may have opened them again
    if await _ends(bootstrap, security, old) != ends:
        raise RepartitionRefused(
            "something wrote to the topics while they were copied, because somebody opened them again: stop every "
            "service (intake too), and run it again"
        )
    # Again: one that started meanwhile would go on with the old topics.
    if await _groups_at_rest(bootstrap, security, admin, old) != groups:
        raise RepartitionRefused("a service read the topics while they were copied: stop it, and run it again")
    return copied, groups


async def _may_copy(bootstrap: str, security: Security | None, old: Sequence[Topic]) -> None:
    """Raise `RepartitionRefused` where this user may not read what is to be copied: of all users, admin alone may."""
    if security is None:
        return
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, **aiokafka_settings(security))
    async with consumer:
        partitions = [TopicPartition(topic.name, 0) for topic in old]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        try:
            await consumer.getmany(timeout_ms=_READ_PATIENCE_MS)
        except TopicAuthorizationFailedError:
            raise RepartitionRefused(
                f"{security.user} may not read what is to be copied: run it as {ADMIN}, then ccr kafka acls apply "
                "--remove-extra, because the new topics have other names"
            ) from None


async def _opened_again(bootstrap: str, security: Security | None, old: Sequence[Topic], failed: BaseException) -> None:
    """The old topics stay in force, and take again what comes."""
    try:
        async with cluster_admin(bootstrap, security) as admin:
            await open_again(admin, old)
    except KafkaUnreachable as unreachable:
        raise LeftClosed(
            f"it was cut off ({str(failed) or type(failed).__name__}), and the topics could not be opened again: "
            "they take nothing. Once Kafka answers, run it again, or give it up with ccr kafka topics apply"
        ) from unreachable


def _names(old: Sequence[Topic], new: Sequence[Topic]) -> Mapping[str, str]:
    """Topic → its name in the next generation."""
    return {before.name: after.name for before, after in zip(old, new, strict=True)}


def _by_case(size: Size) -> list[Topic]:
    return [topic for topic in catalogue(size) if topic.by_case]


async def _ends(bootstrap: str, security: Security | None, topics: Sequence[Topic]) -> dict[TopicPartition, int]:
    return await ends_of(bootstrap, {topic.name: topic.partitions for topic in topics}, security)


async def _groups_at_rest(
    bootstrap: str, security: Security | None, admin: AIOKafkaAdminClient, old: Sequence[Topic]
) -> Mapping[str, Set[str]]:
    """Group → which of these topics it reads. Raises `RepartitionRefused` unless all are stopped and have read
    everything."""
    names = {topic.name for topic in old}
    ends = await _ends(bootstrap, security, old)
    found: dict[str, Set[str]] = {}
    for group, *_ in sorted(await admin.list_consumer_groups()):
        positions = await admin.list_consumer_group_offsets(group)
        read = {tp: each.offset for tp, each in positions.items() if tp.topic in names}
        (described,) = (await admin.describe_consumer_groups([group]))[0].groups
        members = described[5]
        consuming = described[3] == ConsumerProtocol.PROTOCOL_TYPE
        if members and (read or (consuming and any(_may_read(names, metadata) for *_, metadata, _ in members))):
            raise RepartitionRefused(f"{group} runs ({len(members)} worker(s)): stop every service first")
        if not read:
            continue
        topics = {tp.topic for tp in read}
        behind = {tp.topic for tp, end in ends.items() if tp.topic in topics and end > read.get(tp, 0)}
        if behind:
            raise RepartitionRefused(
                f"{group} has not read all of {', '.join(sorted(behind))}: stop intake, let it finish, then stop it"
            )
        found[group] = topics
    return found


def _may_read(names: Set[str], metadata: bytes) -> bool:
    """Whether a member of a group asked for one of these topics. While its group is coming together, nobody knows."""
    return not metadata or not names.isdisjoint(ConsumerProtocol.METADATA.decode(metadata).subscription)


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
    target = _names(old, new)
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
        max_request_size=MAX_EVENT_RECORD_BYTES,
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
                            headers=_headers(record),
                        )
                    )
            await asyncio.gather(*sent)
            copied += len(sent)
            progress(copied, total)
    return copied


def _headers(record: ConsumerRecord) -> list[tuple[str, bytes]]:
    headers = list(record.headers)
    if record.topic.startswith(LINKS) and ORIGIN not in dict(headers):
        headers.append((ORIGIN, f"{record.topic}/{record.partition}".encode()))
    return headers


async def _all_read(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    for tp, end in ends.items():
        if await consumer.position(tp) < end:
            return False
    return True


async def _read_on(
    bootstrap: str,
    security: Security | None,
    groups: Mapping[str, Set[str]],
    ends: Mapping[TopicPartition, int],
    names: Mapping[str, str],
) -> None:
    """Everything was read: each group goes on behind the last record that was copied of what it reads."""
    for group, topics in groups.items():
        its_own = {tp: end for tp, end in ends.items() if tp.topic in {names[topic] for topic in topics}}
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, **aiokafka_settings(security)
        )
        async with consumer:
            consumer.assign(list(its_own))
            await consumer.commit(its_own)
