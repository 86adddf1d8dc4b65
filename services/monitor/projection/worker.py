"""The monitor as a worker on Kafka: what the casebook's workers wrote goes to the store that people read from.

Reading begins where the store's own positions end, whatever the group has committed: a store that was put back from a
backup catches up by itself. Any number of these share the partitions; none of them keeps anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from prometheus_client import CollectorRegistry
from sqlalchemy import make_url

from services.engine.clock import WallClock
from services.engine.kafka.apps import (
    AppSettings,
    Ends,
    Stuck,
    WorkerStanding,
    checked_size,
    make_app,
    membership_of,
    require_awake,
    run_app,
    serve_health,
    unacknowledged,
)
from services.engine.kafka.apps.transport import WorkerConsumer
from services.engine.kafka.batches import RecordBatch, batch_agent, batch_topic
from services.engine.kafka.topics.catalogue import EVENTS, LINKS, QUARANTINE
from services.engine.ports import Clock
from services.engine.sql.ahead import require_behind
from services.engine.sql.store import SqlStore, open_store
from services.monitor.projection.figures import ProjectionFigures, Standing, Totals, read_model_waits
from services.monitor.projection.into_read_model import KeptReadModel
from services.monitor.projection.into_store import IntoStore
from services.monitor.projection.lane import AT_ONCE, Lane
from services.monitor.projection.patience import Patience
from services.monitor.projection.set_aside import SetAside

SERVICE = "monitor"
FOUND_S = 0.5
"""How long the partitions wait for the store to say where to read on, after a rebalance; then they go on one by one."""
LOOK_S = 1.0
"""How often it is looked whether reading goes on, and whether this worker is still the first."""


@dataclass(frozen=True, slots=True)
class MonitorSetup:
    """One monitor worker."""

    app: AppSettings
    store: str = field(repr=False)
    """Address of the SQL store."""
    read_model: str | None = field(default=None, repr=False)
    """Address of the read model; None: there is none."""
    clock: Clock = field(default_factory=WallClock)


def group_of(store: str) -> str:
    """The consumer group of those that fill one store; who fills another must read everything again for it."""
    url = make_url(store).set(username=None, password=None)
    return f"{SERVICE}-{sha256(url.render_as_string().encode()).hexdigest()[:12]}"


async def run_monitor(
    monitor: MonitorSetup,
    stopping: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
    give_up: Callable[[], None] = lambda: None,
) -> None:
    """Run until `stopping` is set. `ready`: called once it works on its first partitions; `give_up`: see `run_app`.

    Raises `WorkerCrashed`, `TopicsMismatch`, `KafkaUnreachable`, `StorageFailed` and `ReadModelRefused`.
    """
    size = await checked_size(monitor.app, EVENTS, LINKS, QUARANTINE)
    app = replace(monitor.app, service=group_of(monitor.store))
    async with open_store(monitor.store) as store:
        worker = MonitorWorker(app, store, size.named(EVENTS), size.named(LINKS), monitor.clock, ready)
        beside = [*worker.beside]
        if monitor.read_model is not None:
            kept = KeptReadModel(monitor.read_model, store.log, store.alerts)
            worker.registry.register(read_model_waits(lambda: kept.failure))
            beside.append(partial(worker.while_first, kept.run))
        try:
            await run_app(worker.app, stopping, beside, give_up=give_up)
        finally:
            await worker.close()


@dataclass(slots=True)
class _Reading:
    """How one partition of a topic is read."""

    next: int
    """What came up to here was put into its lane."""
    done: int
    """What is before this is in the store."""
    begun: int
    """Where it was when this worker was given it."""
    records: int = 0
    """Brought into the store since then."""
    compared: bool = False
    """Whether the topic goes at least as far."""


class MonitorWorker:
    """The app, and where it reads."""

    def __init__(
        self,
        settings: AppSettings,
        store: SqlStore,
        events: str,
        links: str,
        clock: Clock,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`events`, `links`: the topics in force."""
        self.app: faust.App = make_app(settings)
        self._membership = membership_of(self.app)
        self._ready: Callable[[], None] | None = ready
        self._told = 0
        self._store = IntoStore(store.projection, self._count_told)
        self._set_aside = SetAside(store.writer, clock)
        self._lanes = {
            topic: Lane(topic, bring, self._set_aside.unreadable, self._brought)
            for topic, bring in ((events, self._store.events), (links, self._store.links))
        }
        self._patience = Patience(QUARANTINE)
        self._first = TP(links, 0)
        self._readings: dict[TP, _Reading] = {}
        self._ends = Ends(settings, self._readings.keys)
        self.beside = (self.watch, self._ends.run)
        """What goes on beside the app."""
        self._finding: asyncio.Task[None] | None = None
        self._sought: Sequence[TP] = ()
        self._sought_since_s = 0.0
        self._late = False
        self._working = False
        self._is_first = asyncio.Event()
        self._stuck = Stuck()
        for topic in self._lanes:
            batch_agent(self.app, batch_topic(self.app, topic), self._work)
        batch_agent(self.app, batch_topic(self.app, QUARANTINE), self._aside)
        self.app.on_rebalance_complete.connect(self._assigned)
        self.app.on_partitions_revoked.connect(self._revoked)
        self.app.on_before_shutdown.connect(self._ending)
        self.registry = CollectorRegistry()
        """What GET /metrics shows."""
        self.registry.register(ProjectionFigures(self.standings, self._totals))
        serve_health(self.app, self.standing, self.registry)

    def standing(self) -> WorkerStanding:
        """How this worker is, for its pages."""
        away = [*(lane.failure for lane in self._lanes.values()), self._patience.failure]
        unwell = next((why for why in away if why is not None), None)
        if unwell is None and not self._membership.certain:
            unwell = "its group has not answered for too long"
        if unwell is None and not self._working:
            unwell = "it is being told which partitions it has"
        return WorkerStanding(SERVICE, (), unwell)

    def standings(self) -> Sequence[Standing]:
        """How far each of its partitions is."""
        now_ms = time.time() * 1_000
        found = []
        for tp, reading in sorted(self._readings.items()):
            oldest_ms = self._lanes[tp.topic].oldest_ms(tp.partition)
            behind_s = 0.0 if oldest_ms is None else max(0.0, (now_ms - oldest_ms) / 1_000)
            found.append(Standing(tp.topic, tp.partition, reading.done, self._ends.of(tp), behind_s, reading.records))
        sought_s = time.monotonic() - self._sought_since_s
        left = (tp for tp in self._sought if tp not in self._readings)
        return [*found, *(Standing(tp.topic, tp.partition, None, None, sought_s, 0) for tp in left)]

    async def watch(self) -> None:
        """Send reading back where nothing comes though there is something. Raises `StoreAhead`."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self._compare()
            for tp, reading in list(self._readings.items()):
                if self._working and self._stuck.noticed(tp, reading.next, self._ends.of(tp)):
                    await self.app.consumer.seek(tp, reading.next)

    async def _compare(self) -> None:
        """Look once at each partition that was given to this worker, whether its topic goes as far as the store."""
        new = {tp: reading for tp, reading in self._readings.items() if not reading.compared}
        if new:
            with suppress(KafkaError):  # asked again at the next look
                ends = await self.app.consumer.highwaters(*new)
                require_behind({tp: reading.begun for tp, reading in new.items()}, ends)
                for reading in new.values():
                    reading.compared = True

    async def while_first(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run something only while this worker has the first partition of the links: one of all workers does."""
        while True:
            await self._is_first.wait()
            running = asyncio.create_task(run())
            try:
                while self._is_first.is_set() and not running.done():
                    await asyncio.wait({running}, timeout=LOOK_S)
                if running.done():
                    running.result()
                    return
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    async def close(self) -> None:
        """Wait for the transactions that are under way."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    async def _work(self, batch: RecordBatch) -> Awaitable[None]:
        tp = TP(batch.topic, batch.partition)
        reading = self._readings.get(tp)
        if reading is None or not self._working:
            if self._working:
                self.app.consumer.pause_partitions([tp])
            return unacknowledged()
        if batch.after is None or batch.after > reading.next:
            await self.app.consumer.seek(tp, reading.next)
            return unacknowledged()
        require_awake(self.app)
        reading.next = max(reading.next, batch.end)
        return self._lanes[batch.topic].put(batch)

    async def _aside(self, batch: RecordBatch) -> None:
        records = list(batch.records)
        for first in range(0, len(records), AT_ONCE):
            await self._patience.until_it_answers(partial(self._set_aside.told, records[first : first + AT_ONCE]))

    def _brought(self, batch: RecordBatch) -> None:
        reading = self._readings.get(TP(batch.topic, batch.partition))
        if reading is not None:
            reading.done = max(reading.done, batch.end)
            reading.records += len(batch.records)

    async def _assigned(self, *_: Any, **__: Any) -> None:
        """Called while partitions are still paused: ask the store where each is to be read on."""
        await self._stop_finding()
        mine = [tp for tp in self.app.consumer.assignment() if tp.topic in self._lanes]
        self._late = False
        self._sought, self._sought_since_s = mine, time.monotonic()
        self._finding = asyncio.create_task(self._find(mine), name="where to read on")
        cast(WorkerConsumer, self.app.consumer).reads_from = self._reads_from
        await asyncio.wait({self._finding}, timeout=FOUND_S)
        self._late = not self._finding.done()
        self._working = True
        if self._first in mine:
            self._is_first.set()

    async def _find(self, mine: Sequence[TP]) -> None:
        try:
            for tp in mine:
                at = await self._lanes[tp.topic].ask(partial(self._store.position, tp.topic, tp.partition))
                self._readings[tp] = _Reading(at, at, at)
                if self._late:
                    await self.app.consumer.seek(tp, at)
                    self.app.consumer.resume_partitions([tp])
            if self._ready is not None:
                self._ready()
                self._ready = None
        except Exception as failed:
            await self.app.crash(failed)

    def _reads_from(self, tp: TP) -> int | None:
        reading = self._readings.get(tp)
        return None if reading is None else reading.next

    async def _revoked(self, *_: Any, **__: Any) -> None:
        self._working = False
        self._sought = ()
        self._is_first.clear()
        await self._stop_finding()
        for lane in self._lanes.values():
            await lane.let_go()
        self._readings.clear()

    async def _ending(self, *_: Any, **__: Any) -> None:
        await self._revoked()
        if self.app.crash_reason is None:
            await self.app.consumer.commit()

    async def _stop_finding(self) -> None:
        if self._finding is not None:
            self._finding.cancel()
            await asyncio.gather(self._finding, return_exceptions=True)

    def _count_told(self, count: int) -> None:
        self._told += count

    def _totals(self) -> Totals:
        return Totals(self._told, self._set_aside.kept, self._set_aside.no_room)
