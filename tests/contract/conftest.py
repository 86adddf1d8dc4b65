"""Which engine a test gets: each runs on the embedded one, and on Kafka with the store on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.contract.backbones import UnderTest
from tests.contract.embedded import embedded
from tests.contract.kafka import on_kafka
from tests.support.databases import empty_database
from tests.support.doors import T0
from tests.support.postgresql import postgresql

ON_KAFKA = ("kafka", "kafka_and_postgresql")
START = T0 + timedelta(hours=2)
"""Where the clock stands at first; the tests' events are of the two hours before."""


@pytest.fixture(scope="module", autouse=True)
def what_aiokafka_leaves_open_is_collected_here() -> Iterator[None]:
    """Not in somebody else's test. Made first, and so ended last, when nobody holds the workers any more."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def embedded_backbone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[UnderTest]:
    async with embedded(tmp_path_factory.mktemp("embedded"), START) as under_test:
        yield under_test


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka_backbone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[UnderTest]:
    async with on_kafka(tmp_path_factory.mktemp("on-kafka"), START) as under_test:
        yield under_test


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kafka_and_postgresql_backbone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[UnderTest]:
    with postgresql() as server, empty_database(server, "contract") as store:
        async with on_kafka(tmp_path_factory.mktemp("on-kafka"), START, store=store) as under_test:
            yield under_test


@pytest.fixture(params=["embedded", *(pytest.param(name, marks=pytest.mark.kafka) for name in ON_KAFKA)])
def backbone(request: pytest.FixtureRequest) -> UnderTest:
    """One for all tests of a file on an engine."""
    found: UnderTest = request.getfixturevalue(f"{request.param}_backbone")
    return found
