"""One broker for the tests of this folder, and topics of a generation of its own for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccr_events.policy import PolicyBook, load_policies
from services.engine.kafka.broker import broker
from tests.faults.cluster import SETTINGS, Cluster, on_fresh_topics
from tests.support.kafka import need_kafka
from tests.support.kafka_steps import Stepped, embedded_steps, undated_weeks
from tests.support.kafka_week import Embedded, embedded_fold, weeks_records

WEEKS = 3
STEPS = 16


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    need_kafka()
    async with broker(tmp_path_factory.mktemp("kafka"), heap_mb=256, settings=SETTINGS) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def policies() -> PolicyBook:
    return load_policies()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def weeks(policies: PolicyBook, tmp_path_factory: pytest.TempPathFactory) -> Embedded:
    """Several invented weeks one after another, and what the embedded engine makes of them."""
    return await embedded_fold(tmp_path_factory.mktemp("embedded"), weeks_records(policies, WEEKS), policies)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def script(policies: PolicyBook, tmp_path_factory: pytest.TempPathFactory) -> Stepped:
    """The same weeks beside each other, without their deadlines: these the workers fire."""
    directory = tmp_path_factory.mktemp("embedded-steps")
    return await embedded_steps(directory, undated_weeks(policies, WEEKS), policies, STEPS)


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(running_broker: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    async with on_fresh_topics(running_broker, tmp_path, copies=1) as made:
        yield made
