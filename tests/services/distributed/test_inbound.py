"""An inbound topic on the real broker: taken in, committed, and not taken in again by the next worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ccr_events.envelope import Event, decode_record, write_structured
from services.distributed import Backbone, Settings, open_backbone
from services.engine.kafka.topics.catalogue import INBOUND
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


async def committed(cluster: Cluster) -> int | None:
    async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap, group_id=GROUP) as consumer:
        offset: int | None = await consumer.committed(JAIL)
        return offset


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
