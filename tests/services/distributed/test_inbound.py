"""An inbound topic on the real broker: taken in, committed, and not taken in again by the next worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import confluent_kafka
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ccr_events.envelope import Event, decode_record, write_structured
from services.distributed import Backbone, Settings, open_backbone
from services.engine.kafka.topics import Size, catalogue, cluster_admin, topics_on
from services.engine.kafka.topics.catalogue import INBOUND, MAX_EVENT_RECORD_BYTES
from services.engine.transaction import StorageFailed
from services.intake.door import Door
from services.intake.inbound import GROUP
from services.intake.inbound.closely import batch_of
from tests.services.distributed.conftest import Cluster
from tests.support.doors import an_event, event_id

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
JAIL, POLICE = TopicPartition(INBOUND + "jail", 0), TopicPartition(INBOUND + "le", 0)


@asynccontextmanager
async def intake(settings: Settings) -> AsyncIterator[Backbone]:
    stopping = asyncio.Event()
    async with open_backbone(settings, inbound=True) as backbone:
        assert backbone.inbound is not None
        running = asyncio.create_task(backbone.inbound.run(stopping))
        try:
            yield backbone
        finally:
            stopping.set()
            await running


async def written(cluster: Cluster, *batches: list[Event]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
        for events in batches:
            await producer.send_and_wait(JAIL.topic, orjson.dumps([write_structured(event) for event in events]))


async def produced(cluster: Cluster, codec: str, *values: bytes, header: bytes | None = None) -> list[str | None]:
    """Written to the jail's topic as one batch, compressed; what became of each: None, or the broker's refusal.

    `header`: name of one that the second has.
    """
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "acks": "all", "compression.type": codec, "linger.ms": 60_000}
        | {"message.max.bytes": 100_000_000}
    )
    told: list[str | None] = []
    for number, value in enumerate(values):
        headers = [(header, b"x")] if header is not None and number == 1 else []
        producer.produce(
            JAIL.topic, value, headers=headers, on_delivery=lambda error, _: told.append(error and error.name())
        )
    assert await asyncio.to_thread(producer.flush, 60) == 0
    return told


@asynccontextmanager
async def kept_as_written(cluster: Cluster) -> AsyncIterator[None]:
    """The jail's topic keeps records compressed as they came, as it did before it was told not to."""
    async with cluster_admin(cluster.bootstrap) as admin:
        ours = next(topic for topic in catalogue(Size(copies=1)) if topic.name == JAIL.topic).settings
        for codec in ("producer", ours["compression.type"]):
            resource = ConfigResource(ConfigResourceType.TOPIC, JAIL.topic, {**ours, "compression.type": codec})
            await admin.alter_configs([resource])
            while (await topics_on(admin, [JAIL.topic]))[JAIL.topic].settings["compression.type"] != codec:
                await asyncio.sleep(0.05)
            if codec == "producer":
                yield


def bookings(first: int, end: int) -> list[bytes]:
    """The jail's events of these numbers, each as a record's value."""
    events = [an_event(n, "jail.booked", refs=(("booking_no", f"26-BKG-{n}"),)) for n in range(first, end)]
    return [orjson.dumps(write_structured(event)) for event in events]


async def taken_in(cluster: Cluster, count: int) -> list[str]:
    """Ids of what is on the log, once it is so much."""
    async with asyncio.timeout(60):
        while len(sent := await cluster.sent()) < count:
            await asyncio.sleep(0.1)
    return sorted(orjson.loads(record.value)["id"] for record in sent)


async def committed(cluster: Cluster) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, group_id=GROUP) as consumer:
        offset: int | None = await consumer.committed(JAIL)
        return offset


async def end_of(cluster: Cluster, tp: TopicPartition) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap) as consumer:
        end: int = (await consumer.end_offsets([tp]))[tp]
        return end


async def test_records_are_taken_in_once_and_wait_while_nothing_can_be_stored(
    cluster: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refusing(self: Door, submissions: object) -> None:
        raise StorageFailed("the database refused")

    events = [an_event(n, "jail.booked", refs=(("booking_no", f"26-BKG-{n}"),)) for n in range(1, 6)]
    before = await committed(cluster) or 0
    with monkeypatch.context() as refused:
        refused.setattr(Door, "submit", refusing)
        async with intake(settings) as backbone:
            await written(cluster, events[:2])
            async with asyncio.timeout(60):
                while (why := (await backbone.health.reasons())["inbound"]) is None:
                    await asyncio.sleep(0.05)
            assert why == "jail: the database refused"
            assert (await committed(cluster) or 0) == before
    async with intake(settings) as backbone:
        await written(cluster, events[2:4], events[4:])
        async with asyncio.timeout(60):
            while len(await cluster.sent()) < 5:
                await asyncio.sleep(0.1)
    assert await committed(cluster) == before + 3
    async with intake(settings) as backbone:
        assert [decode_record(r.body)["id"] for r in await backbone.log.read(0)] == [event_id(n) for n in range(1, 6)]
        exposed, _ = await backbone.metrics.exposition()
    assert b'ccr_events_total{agency="jail"' not in exposed  # the third worker found nothing to do


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_an_adapter_may_compress_as_it_likes(cluster: Cluster, settings: Settings, codec: str) -> None:
    assert await produced(cluster, codec, *bookings(1, 4)) == [None] * 3
    async with intake(settings):
        await taken_in(cluster, 3)


async def test_what_grows_beyond_the_limit_is_refused_where_it_is_written(cluster: Cluster) -> None:
    before = await end_of(cluster, JAIL)
    assert await produced(cluster, "gzip", bytes(2 * MAX_EVENT_RECORD_BYTES)) == ["MSG_SIZE_TOO_LARGE"]
    assert await end_of(cluster, JAIL) == before


async def test_what_cannot_be_decoded_is_quarantined_and_holds_up_nobody(cluster: Cluster, settings: Settings) -> None:
    before = await end_of(cluster, JAIL)
    await produced(cluster, "none", *bookings(1, 3))
    async with kept_as_written(cluster):
        await produced(cluster, "lz4", *bookings(3, 6))
    await produced(cluster, "none", *bookings(6, 8))
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
        await producer.send_and_wait(POLICE.topic, orjson.dumps(write_structured(an_event(9))))
    async with intake(settings) as backbone:
        assert await taken_in(cluster, 5) == [event_id(n) for n in (1, 2, 6, 7, 9)]
        (kept,) = await backbone.quarantine.waiting()
        assert kept.agency == "jail"
        assert kept.problems[0].message == (
            f"ccr.inbound.jail, partition 0, offsets {before + 2} to {before + 4}: compressed with lz4, which is not "
            "undone here; have it sent again"
        )
        raw = await backbone.quarantine.open(kept.id, purpose="repair", by="0" * 16)
        assert (await backbone.health.reasons())["inbound"] is None
    assert batch_of(raw, before + 2, ()).raw == raw
    assert await committed(cluster) == before + 7


async def test_a_header_whose_name_is_no_text_costs_no_record(cluster: Cluster, settings: Settings) -> None:
    await produced(cluster, "none", *bookings(1, 4), header=b"\xff\xfe")
    async with intake(settings):
        assert await taken_in(cluster, 3) == [event_id(n) for n in range(1, 4)]
