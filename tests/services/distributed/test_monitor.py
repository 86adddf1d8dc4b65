"""A monitor and its store: whatever the group has committed, it is the store that says where to read on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from services.distributed import Settings
from services.engine.kafka.apps import AppSettings, WorkerCrashed
from services.engine.sql.store import open_store
from services.monitor.projection.worker import MonitorSetup, run_monitor
from tests.services.distributed.conftest import PARTITIONS, Cluster
from tests.support.core_rules import fact
from tests.support.records import record

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 60.0


async def test_a_store_that_was_put_back_catches_up_by_itself(
    cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap) as producer:
        for number in range(1, 6):
            body = record(fact(number, "arrest.made", number)).body
            await producer.send_and_wait(cluster.events, body, key=b"case-1", partition=number % PARTITIONS)
    async with monitoring(cluster, settings, tmp_path):
        await until_events(settings, 5)
    for file in tmp_path.glob("store.sqlite*"):
        file.unlink()  # an old backup: the group has committed much more than it holds
    async with monitoring(cluster, settings, tmp_path):
        await until_events(settings, 5)


async def test_a_store_of_another_kafka_is_refused(cluster: Cluster, settings: Settings, tmp_path: Path) -> None:
    async with open_store(settings.store) as store:
        await asyncio.to_thread(store.projection.project_events, [], topic=cluster.events, partition=2, upto=40)
    with pytest.raises(WorkerCrashed, match="partition 2: it ends at 0, the store was brought to 40"):
        async with asyncio.timeout(PATIENCE_S):
            await run_monitor(setup(cluster, settings, tmp_path), asyncio.Event())


@asynccontextmanager
async def monitoring(cluster: Cluster, settings: Settings, directory: Path) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    running = asyncio.create_task(run_monitor(setup(cluster, settings, directory), stopping))
    try:
        yield
    finally:
        stopping.set()
        await running


def setup(cluster: Cluster, settings: Settings, directory: Path) -> MonitorSetup:
    return MonitorSetup(AppSettings("monitor", cluster.bootstrap, directory / "state"), settings.store)


async def until_events(settings: Settings, count: int) -> None:
    async with open_store(settings.store) as store, asyncio.timeout(PATIENCE_S):
        while (await store.counts.figures()).position != count:
            await asyncio.sleep(0.05)
        assert len(await store.log.read(0, 100)) == count
