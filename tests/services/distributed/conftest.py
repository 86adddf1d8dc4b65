"""One real broker for the tests of this folder, and topics of a generation of its own for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from services.distributed import Settings
from services.engine.kafka.broker import broker
from services.engine.kafka.topics import Layout, apply, catalogue, cluster_admin, differences, topics_on, write_layout
from services.engine.kafka.topics.catalogue import EVENTS
from tests.support.kafka import need_kafka

PARTITIONS = 4
PATIENCE_S = 1.5
"""Enough for a broker that runs, however busy this machine is."""
_generations = count(1)


@dataclass(frozen=True)
class Cluster:
    """Topics of one test on the broker that all share."""

    bootstrap: str
    directory: Path
    """Of the broker."""
    layout: Layout

    @property
    def events(self) -> str:
        return self.layout.size(1).named(EVENTS)

    def wider(self, partitions: int) -> Cluster:
        """The same with the topics that a repartition makes: the next test does not get this generation."""
        return replace(self, layout=Layout(next(_generations), partitions))

    async def sent(self) -> list[ConsumerRecord]:
        """Everything on the topic of events, by partition, in order."""
        partitions = [TopicPartition(self.events, number) for number in range(self.layout.partitions)]
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed") as consumer:
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            left = {tp: end for tp, end in (await consumer.end_offsets(partitions)).items() if end}
            found: list[ConsumerRecord] = []
            while left:
                for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                    found += records
                    if records[-1].offset + 1 >= left[tp]:
                        del left[tp]
        return sorted(found, key=lambda r: (r.partition, r.offset))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    need_kafka()
    directory = tmp_path_factory.mktemp("kafka")
    async with broker(directory, heap_mb=256) as bootstrap:
        yield bootstrap, directory


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(running_broker: tuple[str, Path]) -> Cluster:
    bootstrap, directory = running_broker
    layout = Layout(next(_generations), PARTITIONS)
    wanted = catalogue(layout.size(1))
    async with cluster_admin(bootstrap) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        assert await apply(admin, wanted, found) == ()
    await write_layout(bootstrap, layout)
    return Cluster(bootstrap, directory, layout)


@pytest.fixture
def settings(cluster: Cluster, tmp_path: Path) -> Settings:
    return Settings(
        bootstrap=cluster.bootstrap,
        store=f"sqlite:///{tmp_path / 'store.sqlite'}",
        keys=f"sqlite:///{tmp_path / 'keys.sqlite'}",
        master_key=tmp_path / "master.key",
        kafka_patience_s=PATIENCE_S,
    )
