"""Which engine a test gets: each test runs on the embedded one, and on Kafka with the store on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from services.engine.kafka.broker import broker
from services.engine.kafka.topics import Layout, apply, catalogue, cluster_admin, differences, topics_on, write_layout
from tests.contract.backbones import UnderTest
from tests.contract.embedded import embedded
from tests.contract.kafka import on_kafka
from tests.support.doors import T0
from tests.support.kafka import need_kafka

PARTITIONS = 3
_generations = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def contract_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    need_kafka()
    settings = {"group.initial.rebalance.delay.ms": "0"}
    async with broker(tmp_path_factory.mktemp("kafka"), heap_mb=256, settings=settings) as bootstrap:
        yield bootstrap


async def fresh_topics(bootstrap: str) -> Layout:
    """Topics of a generation of its own."""
    layout = Layout(next(_generations), PARTITIONS)
    wanted = catalogue(layout.size(1))
    async with cluster_admin(bootstrap) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        assert await apply(admin, wanted, found) == ()
    await write_layout(bootstrap, layout)
    return layout


@pytest_asyncio.fixture(loop_scope="session", params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
async def backbone(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[UnderTest]:
    start = T0 + timedelta(minutes=1)
    if request.param == "embedded":
        async with embedded(tmp_path, start) as under_test:
            yield under_test
        return
    bootstrap = request.getfixturevalue("contract_broker")
    async with on_kafka(bootstrap, await fresh_topics(bootstrap), tmp_path, start) as under_test:
        yield under_test
