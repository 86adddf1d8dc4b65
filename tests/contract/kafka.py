"""The Kafka engine under test: portal, casebook worker and monitor worker in one process, on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from ccr_events.core.codec import encode_view
from ccr_events.policy import load_policies
from services.casebook.worker import CasebookSetup, CasebookWorker, places_of
from services.demo.clock import ScriptClock
from services.distributed import Settings, open_backbone
from services.engine.kafka.apps import AppSettings, run_app
from services.engine.kafka.batches import read_limits
from services.engine.kafka.broker import broker
from services.engine.kafka.outgoing import partition_of
from services.engine.kafka.topics import Layout, apply, catalogue, cluster_admin, differences, topics_on, write_layout
from services.engine.sql.store import open_store
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.monitor.projection.worker import MonitorWorker, group_of
from services.portal.app import create_app
from tests.contract.backbones import UnderTest
from tests.support.kafka import need_kafka
from tests.support.portals import called, keys_of

PATIENCE_S = 120.0
"""How long anything may take on a busy machine."""
SESSION_TIMEOUT_S = 60.0
"""Of the workers: nobody dies here, and a machine that is busy for long is not to be taken for a worker that slept."""
PARTITIONS = 3
LOOK_S = 0.005
"""How often it is looked whether everything is settled."""


@asynccontextmanager
async def on_kafka(
    directory: Path,
    start: datetime,
    master_key: Path | None = None,
    store: str | None = None,
    release_is_live: ReleaseIsLive = no_release_is_live,
) -> AsyncIterator[UnderTest]:
    """On a broker of its own. `store`: its address; an SQLite file in the directory when left out."""
    need_kafka()
    settings = {"group.initial.rebalance.delay.ms": "0"}
    async with broker(directory / "kafka", heap_mb=256, settings=settings) as bootstrap:
        layout = await _topics(bootstrap)
        opened = Settings(
            bootstrap=bootstrap,
            store=store or f"sqlite:///{directory / 'store.sqlite'}",
            keys=f"sqlite:///{directory / 'keys.sqlite'}",
            master_key=master_key or directory / "master.key",
            clock=ScriptClock(start),
            release_is_live=release_is_live,
        )
        async with _on_topics(opened, layout, directory) as under_test:
            yield under_test


async def _topics(bootstrap: str) -> Layout:
    layout = Layout(1, PARTITIONS)
    wanted = catalogue(layout.size(1))
    async with cluster_admin(bootstrap) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        assert await apply(admin, wanted, found) == ()
    await write_layout(bootstrap, layout)
    return layout


@asynccontextmanager
async def _on_topics(settings: Settings, layout: Layout, directory: Path) -> AsyncIterator[UnderTest]:
    clock = cast(ScriptClock, settings.clock)
    async with (
        open_backbone(settings) as backbone,
        _working(settings, layout, directory) as workers,
        called(create_app(backbone)) as http,
        AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as asking,
    ):
        settling = _Settling(workers, asking)

        def upcoming() -> datetime | None:
            found = (each.views.next_at() for each in workers.casebook.owned.values())
            return min((at for at in found if at is not None), default=None)

        async def pending() -> datetime | None:
            if (passed := upcoming()) is not None and passed <= clock.now():
                await asyncio.sleep(LOOK_S)  # the worker is about to fire it
                return passed
            await settling.settled()
            return upcoming()

        async def settle() -> None:
            while (due := await pending()) is not None and due <= clock.now():
                pass

        async def views() -> Mapping[str, bytes]:
            await settling.settled()
            cases = {record.case_id for record in await backbone.log.read(0, 100_000)}
            owned = workers.casebook.owned
            return {c: encode_view(owned[partition_of(c.encode(), layout.partitions)].views.get(c)) for c in cases}

        keys = await keys_of(backbone)
        yield UnderTest(http, keys, clock, backbone.log, backbone.alerts, settle, pending, views)


@dataclass(frozen=True, slots=True)
class _Workers:
    """What folds, and what brings it to the store."""

    casebook: CasebookWorker
    monitor: MonitorWorker
    events: Sequence[TopicPartition]
    links: Sequence[TopicPartition]
    tasks: Sequence[asyncio.Task[None]]

    def failed(self) -> None:
        """Raise what a worker ended with."""
        for task in self.tasks:
            if task.done():
                task.result()
                raise AssertionError(f"{task.get_name()} ended")


@asynccontextmanager
async def _working(settings: Settings, layout: Layout, directory: Path) -> AsyncIterator[_Workers]:
    size = layout.size(1)
    places = places_of(size)
    app = AppSettings(
        f"casebook-{uuid4().hex[:8]}", settings.bootstrap, directory / "casebook", session_timeout_s=SESSION_TIMEOUT_S
    )
    limits = await read_limits(settings.bootstrap, [places.events, places.links, places.case_views, places.quarantine])
    policies = await asyncio.to_thread(load_policies, settings.policies)
    ready, stopping = [asyncio.Event(), asyncio.Event()], asyncio.Event()
    casebook = CasebookWorker(CasebookSetup(app, policies, settings.clock), places, limits, ready[0].set)
    async with open_store(settings.store) as store:
        following = replace(
            app, service=f"{group_of(settings.store)}-{uuid4().hex[:8]}", directory=directory / "monitor"
        )
        monitor = MonitorWorker(following, store, places.events, places.links, settings.clock, ready[1].set)
        tasks = [
            asyncio.create_task(run_app(casebook.app, stopping, casebook.beside), name="casebook"),
            asyncio.create_task(run_app(monitor.app, stopping, monitor.beside), name="monitor"),
        ]
        numbers = range(size.partitions)
        workers = _Workers(
            casebook,
            monitor,
            [TopicPartition(places.events, number) for number in numbers],
            [TopicPartition(places.links, number) for number in numbers],
            tasks,
        )
        try:
            started = asyncio.gather(*(each.wait() for each in ready))
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait([started, *tasks], return_when=asyncio.FIRST_COMPLETED)
            started.cancel()
            workers.failed()
            yield workers
        finally:
            stopping.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            await monitor.close()


@dataclass(frozen=True, slots=True)
class _Settling:
    """Waits until nothing is on its way."""

    workers: _Workers
    asking: AIOKafkaConsumer

    async def settled(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await self._is_settled():
                self.workers.failed()
                await asyncio.sleep(LOOK_S)

    async def _is_settled(self) -> bool:
        workers = self.workers
        events = await self.asking.end_offsets(workers.events)
        owned = workers.casebook.owned
        if any(tp.partition not in owned or owned[tp.partition].position < end for tp, end in events.items()):
            return False
        if not all(each.told for each in owned.values()):
            return False
        # Asked behind the acknowledgements: what was told, or carried to another case, is counted.
        ends = {**await self.asking.end_offsets(workers.links), **await self.asking.end_offsets(workers.events)}
        if any(ends[tp] != end for tp, end in events.items()):
            return False
        done = {(each.topic, each.partition): each.position for each in workers.monitor.standings()}
        positions = {tp: done.get((tp.topic, tp.partition)) for tp in ends}
        return all(at is not None and at >= ends[tp] for tp, at in positions.items())
