"""Three brokers and what happens to them, to workers and to the network between: some of each, then compare.

The long way, with many of each: `make faults MINUTES=20 SEED=7`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ccr_events.policy import PolicyBook
from services.engine.kafka.broker import broker
from tests.faults.cluster import SETTINGS, Cluster, on_fresh_topics
from tests.faults.storm import HEAP_MB, Storm
from tests.support.kafka import need_kafka
from tests.support.kafka_steps import Stepped

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
COPIES = 3


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    need_kafka()
    directory = tmp_path_factory.mktemp("three")
    async with broker(directory, brokers=3, heap_mb=HEAP_MB, settings=SETTINGS) as bootstrap:
        yield bootstrap, directory


@pytest_asyncio.fixture(loop_scope="session")
async def replicated(three_brokers: tuple[str, Path], tmp_path: Path) -> AsyncIterator[Cluster]:
    async with on_fresh_topics(three_brokers[0], tmp_path, COPIES) as cluster:
        yield cluster


@pytest.mark.parametrize(
    "faults",
    [
        ["broker killed", "worker killed", "poison record", "network cut"],
        [
            "clock jump",
            "offsets reset",
            "network slow",
            "rebalance storm",
            "slow consumer",
            "broker frozen",
            "worker stopped cleanly",
        ],
    ],
    ids=["broken", "set back"],
)
async def test_nothing_is_lost_twice_or_different(
    faults: list[str],
    replicated: Cluster,
    three_brokers: tuple[str, Path],
    script: Stepped,
    policies: PolicyBook,
    tmp_path: Path,
) -> None:
    storm = Storm(replicated, three_brokers[1], script, policies, seed=len(faults[0]))
    totals = await storm.run(faults, seconds=15.0, views=tmp_path / "views")
    print(totals.told())
    assert (totals.lost, totals.twice, totals.different, totals.disordered) == (0, 0, 0, 0)
    assert totals.faults == Counter(faults)
    assert totals.events > 900
    assert totals.deadlines > 100
