"""How long a partition waits while workers are restarted one after another: measured, on a broker of its own.

`python -m tests.faults.rolling` publishes events to every partition all the time, and tells for each way of restarting
the longest time from an event to the transitions it causes. It ends with one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from rich.console import Console
from rich.table import Table

from ccr_events.core.codec import decode_transition
from ccr_events.core.model import Fact
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.partition import UNTOLD
from services.engine.kafka.apps.fleet import PREPARED, READY
from services.engine.kafka.broker import broker
from services.engine.kafka.topics import Layout, Size, apply, catalogue, cluster_admin, differences, write_layout
from services.engine.kafka.topics.partition import partition_of
from tests.faults.clocks import Clocks
from tests.faults.cluster import LONG_AGO, SESSION_TIMEOUT_S, Cluster
from tests.support.kafka_week import new_record

PARTITIONS = 4
EVERY_S = 0.02
"""Between two events; each goes to the next partition."""
CALM_S = 5.0


@dataclass
class Load:
    """Arrests, each of a case of its own, and when each was told of."""

    cluster: Cluster
    policies: PolicyBook
    sent: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Event id → (when, partition)."""
    waits: list[tuple[float, int, float]] = field(default_factory=list)
    """(when sent, partition, seconds until its first transition)."""

    async def publish(self) -> None:
        edition = self.policies.editions[-1].id
        places, at, number = self.cluster.places, datetime.now(UTC), 0
        async with AIOKafkaProducer(bootstrap_servers=self.cluster.bootstrap, acks="all") as producer:
            while True:
                number += 1
                case = f"case-{number}"
                partition = partition_of(case.encode(), PARTITIONS)
                data = {"references": [{"kind": "incident_no", "number": f"{number}"}], "dv": "yes"}
                arrest = Fact(str(uuid4()), "arrest.made", "le", case, at, at, edition, data)
                self.sent[arrest.id] = (monotonic(), partition)
                await producer.send_and_wait(
                    places.events, new_record(arrest).body, key=case.encode(), partition=partition
                )
                await asyncio.sleep(EVERY_S)

    async def listen(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.cluster.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            consumer.assign([TopicPartition(self.cluster.places.links, number) for number in range(PARTITIONS)])
            async for record in consumer:
                if UNTOLD in dict(record.headers):
                    continue
                found = self.sent.pop(decode_transition(record.value).cause, None)
                if found is not None:
                    self.waits.append((found[0], found[1], monotonic() - found[0]))

    def longest(self, since: float) -> dict[str, float]:
        """Seconds, of what was sent since then."""
        waits = [wait for sent, _, wait in self.waits if sent >= since]
        worst = {
            n: max((w for sent, p, w in self.waits if sent >= since and p == n), default=0) for n in range(PARTITIONS)
        }
        return {
            "events": len(waits),
            "median_s": round(median(waits), 3),
            "longest_s": round(max(waits), 3),
            **{f"partition_{number}_s": round(wait, 3) for number, wait in worst.items()},
        }


@asynccontextmanager
async def loaded(cluster: Cluster) -> AsyncIterator[Load]:
    load = Load(cluster, load_policies())
    tasks = [asyncio.create_task(load.publish()), asyncio.create_task(load.listen())]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not load.sent or max(monotonic() - at for at, _ in load.sent.values()) < 60, "events were not answered"


async def measured() -> dict[str, dict[str, float]]:
    """Seconds by phase."""
    found: dict[str, dict[str, float]] = {}
    with TemporaryDirectory() as directory:
        settings = {"group.min.session.timeout.ms": "1000", "group.initial.rebalance.delay.ms": "0"}
        async with broker(Path(directory, "kafka"), heap_mb=256, settings=settings) as bootstrap:
            size = Size(PARTITIONS, 1)
            wanted = catalogue(size)
            async with cluster_admin(bootstrap) as admin:
                assert not await apply(admin, wanted, differences(wanted, {}))
            await write_layout(bootstrap, Layout(1, PARTITIONS))
            cluster = Cluster(bootstrap, Path(directory), size, "casebook", Clocks(Path(directory), LONG_AGO))
            with cluster.workers():
                workers = [cluster.worker(0), cluster.worker(1)]
                for worker in workers:
                    await cluster.says(worker, READY)
                async with loaded(cluster) as load:
                    await asyncio.sleep(CALM_S)
                    since = monotonic()
                    await asyncio.sleep(CALM_S)
                    found["calm"] = load.longest(since)
                    since = monotonic()
                    for number in range(2):
                        workers[number].send_signal(signal.SIGTERM)
                        await asyncio.to_thread(workers[number].wait)
                        workers[number] = cluster.worker(number)
                        await cluster.says(workers[number], READY)
                        await asyncio.sleep(CALM_S)
                    found["stopped and started again"] = load.longest(since)
                    since = monotonic()
                    for number in range(2):
                        successor = cluster.worker(number)
                        await cluster.says(successor, PREPARED)
                        workers[number].send_signal(signal.SIGTERM)
                        await cluster.says(successor, READY)
                        workers[number] = successor
                        await asyncio.sleep(CALM_S)
                    found["replaced by one that is prepared"] = load.longest(since)
                    since = monotonic()
                    workers[1].kill()
                    await asyncio.sleep(SESSION_TIMEOUT_S + CALM_S)
                    found[f"killed, noticed after {SESSION_TIMEOUT_S:.0f} s"] = load.longest(since)
    return found


def as_table(phases: dict[str, dict[str, float]]) -> Table:
    """A row a phase."""
    table = Table("workers", *next(iter(phases.values())))
    for phase, figures in phases.items():
        table.add_row(phase, *(f"{figure:g}" for figure in figures.values()))
    return table


if __name__ == "__main__":
    phases = asyncio.run(measured())
    Console(stderr=True).print(as_table(phases))
    print(json.dumps(phases))
