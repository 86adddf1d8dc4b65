"""Sent means on the topic; not sent is told within a bound, and sent again by the next producer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from services.engine.kafka.broker.ports import free_ports
from services.engine.kafka.outgoing import KafkaOutgoing, event_record, partition_of
from services.engine.kafka.outgoing.producing import BATCH_BYTES, CLOSE_S, PATIENCE_S, NotSent
from services.engine.kafka.topics import cluster_admin
from services.engine.sql.outgoing import SENDING_S, OutgoingRecord
from tests.support.doors import T0
from tests.support.kafka import make_topics

pytestmark = pytest.mark.kafka
PARTITIONS = 4
OF_SESSION = pytest.mark.asyncio(loop_scope="session")


def going(case_id: str, body: bytes, *, alerting: bool = True) -> OutgoingRecord:
    return OutgoingRecord(1, "", case_id, T0, alerting, body)


async def read(bootstrap: str, topic: str) -> list[tuple[int, bytes, bytes, tuple[tuple[str, bytes], ...]]]:
    """Everything on the topic, by partition, in order."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed") as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        left = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end}
        found = []
        while left:
            for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                found += [(tp.partition, r.key, r.value, tuple(r.headers)) for r in records]
                if records[-1].offset + 1 >= left[tp]:
                    del left[tp]
        return sorted(found, key=lambda each: each[0])


async def made_topic(bootstrap: str, name: str, **settings: str) -> str:
    async with cluster_admin(bootstrap) as admin:
        configs = {key.replace("_", "."): value for key, value in settings.items()}
        await make_topics(admin, NewTopic(name, PARTITIONS, 1, topic_configs=configs))
    return name


@OF_SESSION
async def test_every_record_is_at_its_place_and_in_order(shared_broker: str, fresh: str) -> None:
    topic = await made_topic(shared_broker, fresh)
    records = [going(f"case-{n % 7}", b"%d" % n, alerting=n % 2 == 0) for n in range(300)]
    records.append(going("case-0", b"x" * (BATCH_BYTES + 1)))  # larger than a batch grows
    with closing(KafkaOutgoing(shared_broker, topic, PARTITIONS)) as outgoing:
        await asyncio.to_thread(outgoing.start)
        await asyncio.to_thread(outgoing.send, records[:1])
        await asyncio.to_thread(outgoing.send, records[1:])
        assert outgoing.failure is None
    found = await read(shared_broker, topic)
    sent = [event_record(r.case_id, r.body, alerting=r.alerting) for r in records]
    by_partition = [
        (partition, r.key, r.value, r.headers)
        for partition in range(PARTITIONS)
        for r in sent
        if partition_of(r.key, PARTITIONS) == partition
    ]
    assert found == by_partition


@OF_SESSION
async def test_what_kafka_refuses_is_told_and_the_next_is_sent(shared_broker: str, fresh: str) -> None:
    topic = await made_topic(shared_broker, fresh, max_message_bytes="1000")
    with closing(KafkaOutgoing(shared_broker, topic, PARTITIONS)) as outgoing:
        await asyncio.to_thread(outgoing.start)
        with pytest.raises(NotSent, match="MessageSizeTooLarge"):
            await asyncio.to_thread(outgoing.send, [going("case", b"secret" * 1000)])
        assert outgoing.failure is not None
        assert "secret" not in outgoing.failure
        told = outgoing.reach()
        assert told == outgoing.failure is not None, "that Kafka answers does not help: what waits does not fit"
        await asyncio.to_thread(outgoing.send, [going("case", b"short")])
        assert outgoing.failure is outgoing.reach() is None
    assert [value for _, _, value, _ in await read(shared_broker, topic)] == [b"short"]


@pytest.fixture
def nobody() -> Iterator[KafkaOutgoing]:
    """Where no broker is."""
    with closing(KafkaOutgoing(f"127.0.0.1:{free_ports(1)[0]}", "ccr.events", PARTITIONS, patience_s=0.3)) as outgoing:
        yield outgoing


def test_where_nobody_answers_the_wait_has_an_end(nobody: KafkaOutgoing) -> None:
    with pytest.raises(NotSent, match="see that its brokers run"):
        nobody.start()
    with pytest.raises(NotSent):
        nobody.send([going("case", b"{}")])
    assert "see that its brokers run" in str(nobody.reach())


def test_one_that_was_never_started_closes() -> None:
    KafkaOutgoing("127.0.0.1:1", "ccr.events", PARTITIONS).close()


def test_it_answers_before_the_turn_of_its_writer_goes_to_another() -> None:
    assert PATIENCE_S + CLOSE_S < SENDING_S
