"""One broker for the tests of this folder, and topics of a generation of its own for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from ccr_events.policy import PolicyBook, load_policies
from services.engine.kafka.broker import broker
from services.engine.kafka.topics import (
    Layout,
    Size,
    apply,
    catalogue,
    cluster_admin,
    differences,
    topics_on,
    write_layout,
)
from tests.faults.cluster import Cluster
from tests.support.kafka import need_kafka
from tests.support.kafka_week import Embedded, embedded_fold, weeks_records

PARTITIONS = 4
WEEKS = 3
_generations = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    need_kafka()
    settings = {"group.min.session.timeout.ms": "1000", "group.initial.rebalance.delay.ms": "0"}
    async with broker(tmp_path_factory.mktemp("kafka"), heap_mb=256, settings=settings) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def policies() -> PolicyBook:
    return load_policies()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def weeks(policies: PolicyBook, tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """Several invented weeks one after another, and what the embedded engine makes of them."""
    return await embedded_fold(tmp_path_factory.mktemp("embedded"), weeks_records(policies, WEEKS), policies)


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(running_broker: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    size = Size(PARTITIONS, 1, next(_generations))
    wanted = catalogue(size)
    async with cluster_admin(running_broker) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        assert not await apply(admin, wanted, found)
    await write_layout(running_broker, Layout(size.generation, size.partitions))
    made = Cluster(running_broker, tmp_path, size, f"casebook-{uuid4().hex[:8]}", datetime(2000, 1, 1, tzinfo=UTC))
    with made.workers():
        yield made
