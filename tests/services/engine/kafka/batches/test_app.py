"""An app on a real broker, in this process: back-pressure, and a stock agent beside a batch agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import faust
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from faust.types import TP

from services.engine.kafka.batches import RecordBatch, batch_agent, batch_topic, broker_url
from services.engine.kafka.batches.agent import MAX_UNFINISHED
from services.engine.kafka.batches.topics import MAX_WAITING
from services.engine.kafka.topics import cluster_admin
from tests.support.kafka import make_topics

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.asyncio(loop_scope="session"),
    # Faust's threads close their event loops only when they are collected.
    pytest.mark.filterwarnings("ignore:.*unclosed.*:ResourceWarning"),
]
PATIENCE_S = 60


@asynccontextmanager
async def running(
    bootstrap: str, name: str, directory: Path, agents: Callable[[faust.App], None]
) -> AsyncIterator[faust.App]:
    async with cluster_admin(bootstrap) as admin:
        names = [f"{name}-in", f"{name}-single"]
        await make_topics(admin, *(NewTopic(each, 1, 1) for each in names))
        app = faust.App(
            name,
            broker=broker_url(bootstrap),
            datadir=str(directory),
            web_enabled=False,
            topic_disable_leader=True,
            broker_commit_interval=0.2,
        )
        agents(app)
        await app.start()
        try:
            yield app
        finally:
            await app.stop()
            await admin.delete_topics(names)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.02)


async def test_an_agent_that_cannot_follow_is_not_buried(shared_broker: str, fresh: str, tmp_path: Path) -> None:
    go_on, seen, stock = asyncio.Event(), [], []

    def agents(app: faust.App) -> None:
        async def work(batch: RecordBatch) -> None:
            await go_on.wait()
            seen.extend(int(record.value or b"") for record in batch.records)

        batch_agent(app, batch_topic(app, f"{fresh}-in"), work)

        @app.agent(app.topic(f"{fresh}-single", value_serializer="raw"))
        async def single(stream: faust.Stream[bytes]) -> None:
            async for value in stream:
                stock.append(int(value))  # noqa: PERF401  # seen one by one

    async with running(shared_broker, fresh, tmp_path, agents) as app:
        tp = TP(f"{fresh}-in", 0)
        written = 0
        async with AIOKafkaProducer(bootstrap_servers=shared_broker) as producer:
            # Written one after another, each is fetched alone: many small batches.
            async with asyncio.timeout(PATIENCE_S):
                while tp not in app.consumer._buffered_partitions:
                    await producer.send_and_wait(f"{fresh}-in", b"%d" % written)
                    written += 1
                    await asyncio.sleep(0.01)
            for _ in range(50):
                await producer.send_and_wait(f"{fresh}-in", b"%d" % written)
                written += 1
            for number in range(20):
                await producer.send_and_wait(f"{fresh}-single", b"%d" % number)
        await until(lambda: len(stock) == 20)
        waiting = len(app.consumer._spans[tp])
        assert waiting <= MAX_WAITING + MAX_UNFINISHED
        assert seen == []
        assert app.consumer._committed_offset[tp] in (None, 0)

        go_on.set()
        await until(lambda: app.consumer._committed_offset[tp] == written)
        assert seen == list(range(written))
        await until(lambda: app.consumer._committed_offset[TP(f"{fresh}-single", 0)] == 20)
