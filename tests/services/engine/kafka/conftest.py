"""A real broker for the tests of this folder, shared by those of one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from services.engine.kafka.broker import broker
from tests.support.kafka import need_kafka


@pytest.fixture(scope="session")
def kafka_program() -> None:
    """Kafka's jars and a Java are here, or could be fetched."""
    need_kafka()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_broker(kafka_program: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Bootstrap address of one broker; tests tell their topics apart by name."""
    settings = {"log.cleaner.backoff.ms": "200", "log.retention.check.interval.ms": "500"}
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(broker(tmp_path_factory.mktemp("kafka"), heap_mb=256, settings=settings))


@pytest.fixture
def fresh() -> str:
    """A name for the topics and groups of one test."""
    return f"t{uuid4().hex[:10]}"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cluster"
