"""Outputs as record batches: in order, within the topic's limit, to the input's partition, safely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import aiokafka
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from services.engine.kafka.batches import Output, Outputs, OversizedRecord, read_limits
from services.engine.kafka.batches.outputs import PREFERRED_BYTES, built
from services.engine.kafka.topics import KafkaUnreachable, cluster_admin
from tests.support.kafka import make_topics

LIMIT = 1_000


def values(builder: BatchBuilder) -> list[bytes | None]:
    return [record.value for record in DefaultRecordBatch(bytearray(builder._build()))]


@given(st.lists(st.integers(0, 1_300), max_size=30))
def test_every_record_is_in_a_batch_within_the_limit_or_set_aside_in_order(sizes: list[int]) -> None:
    records = [Output("ccr.links", b"case", b"%04d" % n + b"x" * size) for n, size in enumerate(sizes)]
    builders, oversized = built(records, LIMIT, 3)
    assert all(len(builder._build()) <= LIMIT for builder in builders)
    assert [value for builder in builders for value in values(builder)] == [
        record.value for record in records if record not in [each.output for each in oversized]
    ]
    assert all((each.size > LIMIT, each.limit, each.partition) == (True, LIMIT, 3) for each in oversized)
    assert all(len(values(builder)) > 0 for builder in builders)


def test_many_records_are_few_batches() -> None:
    records = [Output("ccr.links", b"case", b"x" * 500)] * 3_000
    builders, oversized = built(records, 10 * PREFERRED_BYTES)
    assert not oversized
    assert sum(builder.record_count() for builder in builders) == 3_000
    assert len(builders) == -(-3_000 * 510 // PREFERRED_BYTES)


def test_what_a_record_says_is_not_in_its_repr() -> None:
    assert "Nowhere" not in repr(OversizedRecord(Output("t", b"k", b"1 Nowhere Lane"), 0, 1, 1))


@dataclass
class Kafka:
    """A producer that only notes what it is given."""

    sent: list[tuple[str, int, list[bytes | None]]] = field(default_factory=list)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)

    slow: str = ""
    """A topic that takes a while to take a batch."""

    async def send_batch(self, builder: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[bool]:
        for _ in range(9 if topic == self.slow else 1):
            await asyncio.sleep(0)
        self.sent.append((topic, partition, values(builder)))
        return asyncio.ensure_future(self.acknowledged.wait())


async def test_sent_is_what_was_acknowledged_and_calls_do_not_mix() -> None:
    kafka, aside = Kafka(), []

    async def keep(record: OversizedRecord) -> None:
        aside.append(record.output.value)

    outputs = Outputs(lambda: kafka, {"links": LIMIT, "views": LIMIT}, keep)  # type: ignore[arg-type,return-value]
    first = [Output("links", b"a", b"%d" % n * 400) for n in range(4)]
    second = [Output("links", b"a", b"%d" % n * 400) for n in range(4, 8)]
    sending = asyncio.gather(
        outputs.send(2, [*first, Output("views", b"a", b"v"), Output("links", b"a", b"x" * 2_000)]),
        outputs.send(2, second),
    )
    for _ in range(50):
        await asyncio.sleep(0)
    assert not sending.done(), "not before Kafka has acknowledged"
    kafka.acknowledged.set()
    await sending
    links = [value for topic, partition, batch in kafka.sent if (topic, partition) == ("links", 2) for value in batch]
    assert links == [each.value for each in first + second]
    assert ("views", 2, [b"v"]) in kafka.sent
    assert aside == [b"x" * 2_000]


async def test_a_call_is_written_before_the_next_whatever_holds_it_up() -> None:
    kafka, aside = Kafka(slow="links"), []
    kafka.acknowledged.set()

    async def keep(record: OversizedRecord) -> None:
        for _ in range(9):
            await asyncio.sleep(0)
        await outputs.send(2, [Output("quarantine", b"a", b"refused")])  # as the casebook does
        aside.append(record.output.value)

    limits = {"links": LIMIT, "views": LIMIT, "quarantine": LIMIT}
    outputs = Outputs(lambda: kafka, limits, keep)  # type: ignore[arg-type,return-value]
    oversized = Output("links", b"a", b"x" * 2_000)
    async with asyncio.timeout(30):
        await asyncio.gather(
            outputs.send(2, [oversized, Output("links", b"a", b"1"), Output("views", b"a", b"1")]),
            outputs.send(2, [Output("views", b"a", b"2"), Output("links", b"a", b"2")]),
        )
    written = [(topic, batch) for topic, _, batch in kafka.sent if topic != "quarantine"]
    assert written == [("links", [b"1"]), ("views", [b"1"]), ("views", [b"2"]), ("links", [b"2"])]
    assert aside == [oversized.value]


async def test_topics_that_take_turns_are_packed_apart_before_it_is_awaited() -> None:
    kafka, made_so_far = Kafka(), []
    kafka.acknowledged.set()

    def made() -> Iterator[Output]:
        for number in range(200):
            made_so_far.append(number)
            yield Output(("links", "views")[number % 2], b"a", b"%d" % number)

    outputs = Outputs(lambda: kafka, {"links": 10_000, "views": 10_000}, None)  # type: ignore[arg-type,return-value]
    sending = outputs.send(2, made())
    assert len(made_so_far) == 200
    await sending
    assert [(topic, partition) for topic, partition, _ in kafka.sent] == [("links", 2), ("views", 2)]
    assert kafka.sent[0][2] == [b"%d" % number for number in range(0, 200, 2)]
    assert kafka.sent[1][2] == [b"%d" % number for number in range(1, 200, 2)]


async def test_a_topic_without_a_limit_is_refused_at_once() -> None:
    outputs = Outputs(Kafka, {"links": LIMIT}, None)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="views"):
        outputs.send(0, [Output("views", b"a", b"x")])


async def test_quarantine_that_fails_fails_the_batch() -> None:
    async def full(_: OversizedRecord) -> None:
        raise OSError("no space left")

    outputs = Outputs(Kafka, {"links": LIMIT}, full)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="no space left"):
        await outputs.send(0, [Output("links", b"a", b"x" * 2_000)])


@pytest.mark.kafka
@pytest.mark.asyncio(loop_scope="session")
class TestOnABroker:
    @asynccontextmanager
    async def topic(self, bootstrap: str, name: str, limit: int) -> AsyncIterator[AIOKafkaProducer]:
        async with cluster_admin(bootstrap) as admin:
            await make_topics(admin, NewTopic(name, 2, 1, topic_configs={"max.message.bytes": str(limit)}))
            async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True) as producer:
                yield producer
            await admin.delete_topics([name])

    async def read(self, bootstrap: str, topic: str, partition: int, count: int) -> list[aiokafka.ConsumerRecord]:
        found: list[aiokafka.ConsumerRecord] = []
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            consumer.assign([TopicPartition(topic, partition)])
            async with asyncio.timeout(30):
                while len(found) < count:
                    found.append(await consumer.getone())
        return found

    async def test_more_than_the_broker_takes_is_split_and_one_record_over_it_set_aside(
        self, shared_broker: str, fresh: str
    ) -> None:
        aside: list[OversizedRecord] = []

        async def keep(record: OversizedRecord) -> None:
            aside.append(record)

        async with self.topic(shared_broker, fresh, 4_000) as producer:
            limits = await read_limits(shared_broker, [fresh])
            assert limits == {fresh: 4_000}
            outputs = Outputs(lambda: producer, limits, keep)
            records = [
                Output(fresh, b"case-%d" % (n % 3), b"%d" % n + b"x" * 300, 1_770_000_000_000 + n, [("type", b"link")])
                for n in range(200)
            ]
            # Alone and with its key it is a few bytes over the limit: the broker itself would refuse it.
            await outputs.send(1, [*records[:100], Output(fresh, b"k", b"y" * 4_000), *records[100:]])
            found = await self.read(shared_broker, fresh, 1, 200)
        assert [(r.key, r.value, r.timestamp) for r in found] == [(o.key, o.value, o.timestamp_ms) for o in records]
        assert found[0].headers == (("type", b"link"),)
        assert [(each.partition, each.limit) for each in aside] == [(1, 4_000)]
        assert aside[0].size > 4_000

    async def test_a_record_of_exactly_the_limit_is_taken(self, shared_broker: str, fresh: str) -> None:
        aside: list[OversizedRecord] = []

        async def keep(record: OversizedRecord) -> None:
            aside.append(record)

        async with self.topic(shared_broker, fresh, 4_000) as producer:
            outputs = Outputs(lambda: producer, {fresh: 4_000}, keep)
            sizes = range(3_900, 4_000)
            await outputs.send(0, [Output(fresh, b"k", b"z" * size) for size in sizes])
            taken = len(sizes) - len(aside)
            found = await self.read(shared_broker, fresh, 0, taken)
        assert 0 < taken < len(sizes)
        assert [len(r.value) for r in found] == list(sizes)[:taken]
        assert aside[0].size == 4_001

    async def test_a_limit_lowered_since_start_fails_the_batch(self, shared_broker: str, fresh: str) -> None:
        async def keep(_: OversizedRecord) -> None:
            raise AssertionError

        async with self.topic(shared_broker, fresh, 50_000) as producer:
            outputs = Outputs(lambda: producer, await read_limits(shared_broker, [fresh]), keep)
            records = [Output(fresh, b"k", b"x" * 300)] * 100
            await outputs.send(0, records)
            async with cluster_admin(shared_broker) as admin:
                lowered = {"max.message.bytes": "2000"}
                await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, fresh, lowered)])
                while (await read_limits(shared_broker, [fresh])) != {fresh: 2_000}:
                    await asyncio.sleep(0.05)
            with pytest.raises(MessageSizeTooLargeError):
                await outputs.send(0, records)

    async def test_a_topic_that_is_not_there_has_no_limit(self, shared_broker: str) -> None:
        with pytest.raises(KafkaUnreachable, match=r"has no topic nowhere: ccr kafka topics apply"):
            await read_limits(shared_broker, ["nowhere"])


def test_kafkas_refusal_is_a_kafka_error() -> None:
    assert issubclass(MessageSizeTooLargeError, KafkaError)


@dataclass
class Placing:
    """A producer whose batches stand where it is told."""

    at: list[int]

    async def send_batch(self, builder: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[object]:
        placed: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        placed.set_result(SimpleNamespace(offset=self.at.pop(0)))
        return placed


@pytest.mark.parametrize(
    ("at", "sizes", "found"),
    [
        ([7], [10, 10], range(7, 9)),
        ([7, 9, 11], [400] * 6, range(7, 13)),
        ([7, 9, 12], [400] * 6, None),
        ([-1], [10], None),
        ([7], [10, 2_000], None),
        ([], [2_000], None),
    ],
)
async def test_where_records_stand_is_told_only_when_nothing_lies_between(
    at: list[int], sizes: list[int], found: range | None
) -> None:
    async def keep(record: OversizedRecord) -> None: ...

    outputs = Outputs(lambda: Placing(at), {"views": LIMIT}, keep)  # type: ignore[arg-type,return-value]
    assert await outputs.placed(0, [Output("views", b"a", b"x" * size) for size in sizes]) == found
