"""An inbound topic on the real broker: taken in, committed, and not taken in again by the next worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import confluent_kafka
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ccr_events.envelope import Event, decode_record, write_structured
from services.distributed import Backbone, Settings, open_backbone
from services.engine.kafka.topics.catalogue import INBOUND, MAX_EVENT_RECORD_BYTES
from services.engine.transaction import StorageFailed
from services.intake.door import Door
from services.intake.inbound import GROUP
from tests.services.distributed.conftest import Cluster
from tests.support.doors import an_event, event_id

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
JAIL = TopicPartition(INBOUND + "jail", 0)


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


async def produced(cluster: Cluster, codec: str, *values: bytes) -> list[str | None]:
    """Written to the jail's topic as one batch, compressed; what became of each: None, or the broker's refusal."""
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": cluster.bootstrap, "acks": "all", "compression.type": codec, "linger.ms": 1000}
        | {"message.max.bytes": 100_000_000}
    )
    told: list[str | None] = []
    for value in values:
        producer.produce(JAIL.topic, value, on_delivery=lambda error, _: told.append(error and error.name()))
    assert await asyncio.to_thread(producer.flush, 60) == 0
    return told


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

    bookings = [an_event(n, "jail.booked", refs=(("booking_no", f"26-BKG-{n}"),)) for n in range(1, 6)]
    before = await committed(cluster) or 0
    with monkeypatch.context() as refused:
        refused.setattr(Door, "submit", refusing)
        async with intake(settings) as backbone:
            await written(cluster, bookings[:2])
            async with asyncio.timeout(60):
                while (why := (await backbone.health.reasons())["inbound"]) is None:
                    await asyncio.sleep(0.05)
            assert why == "jail: the database refused"
            assert (await committed(cluster) or 0) == before
    async with intake(settings) as backbone:
        await written(cluster, bookings[2:4], bookings[4:])
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
    bookings = [an_event(n, "jail.booked", refs=(("booking_no", f"26-BKG-{n}"),)) for n in range(1, 4)]
    values = [orjson.dumps(write_structured(event)) for event in bookings]
    assert await produced(cluster, codec, *values) == [None] * 3
    async with intake(settings):
        async with asyncio.timeout(60):
            while len(await cluster.sent()) < 3:
                await asyncio.sleep(0.1)


async def test_what_grows_beyond_the_limit_is_refused_where_it_is_written(cluster: Cluster) -> None:
    before = await end_of(cluster, JAIL)
    assert await produced(cluster, "gzip", bytes(2 * MAX_EVENT_RECORD_BYTES)) == ["MSG_SIZE_TOO_LARGE"]
    assert await end_of(cluster, JAIL) == before
