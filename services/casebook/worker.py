"""The casebook as a worker on Kafka: `ccr.events` in; links, views, carried events and deadlines out.

Each partition has its own state, with the input offset beside it. Reading follows the state: where a batch begins
behind what the state has, reading is sent back to where it ends, whatever the group has committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, cast

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.types import TP
from prometheus_client import CollectorRegistry

from ccr_events.policy import PolicyBook
from services.casebook.partition import Folding, Places, too_large
from services.casebook.partition_deadlines import Firing
from services.casebook.reached import Reached
from services.casebook.worker_partition import OwnedPartition
from services.engine.clock import WallClock
from services.engine.kafka.apps import (
    AppSettings,
    Ends,
    PartitionStanding,
    Stuck,
    WorkerStanding,
    checked_size,
    make_app,
    membership_of,
    require_awake,
    run_app,
    serve_pages,
    unacknowledged,
)
from services.engine.kafka.apps.transport import WorkerConsumer
from services.engine.kafka.batches import (
    Outputs,
    OversizedRecord,
    RecordBatch,
    batch_agent,
    batch_topic,
    read_limits,
)
from services.engine.kafka.security import aiokafka_settings
from services.engine.kafka.topics.catalogue import CASE_VIEWS, EVENTS, LINKS, QUARANTINE, Size
from services.engine.kafka.views import Refolding, Standby, open_partition, restore
from services.engine.ports import Clock

SERVICE = "casebook"
CHECKPOINT_S = 1.0
"""How often what was folded is made to outlast this worker."""
LOOK_S = 0.1
"""How often it is looked whether a deadline has passed, and how soon a full partition is checkpointed."""
OPENED_AT_ONCE_S = 0.5
"""How long the partitions that are ready wait for those whose state is being restored, after a rebalance."""
READY_FACTS = 200_000
"""Facts of views that are kept ready to fold on, of all partitions together: some 500 MB."""
MOST_BATCHES = 4_096
"""Batches that may wait for a checkpoint, of all partitions; beyond it nothing more is folded until one is done."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CasebookSetup:
    """One casebook worker."""

    app: AppSettings
    policies: PolicyBook
    clock: Clock = field(default_factory=WallClock)
    standby: bool = True
    """Whether it follows the views of the partitions that others have, to take one over within a moment."""


def places_of(size: Size) -> Places:
    """The topics of a size."""
    return Places(size.named(EVENTS), size.named(LINKS), size.named(CASE_VIEWS), QUARANTINE, size.partitions)


async def run_casebook(
    casebook: CasebookSetup,
    stopping: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
    give_up: Callable[[], None] = lambda: None,
) -> None:
    """Run until `stopping` is set. `ready`: called once it works on its first partitions; `give_up`: see `run_app`.

    Raises `WorkerCrashed`, `TopicsMismatch` and `KafkaUnreachable`.
    """
    size = await checked_size(casebook.app, EVENTS, LINKS, CASE_VIEWS, QUARANTINE)
    places = places_of(size)
    topics = [places.events, places.links, places.case_views, places.quarantine]
    limits = await read_limits(casebook.app.bootstrap, topics, casebook.app.security)
    worker = CasebookWorker(casebook, places, limits, ready)
    await run_app(worker.app, stopping, worker.beside, give_up=give_up)


class CasebookWorker:
    """The app, the partitions it has, and what goes on beside the agent."""

    def __init__(
        self,
        casebook: CasebookSetup,
        places: Places,
        limits: dict[str, int],
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        """`limits`: largest record batch of each topic; `ready`: called once it works on its first partitions."""
        self.app: faust.App = make_app(casebook.app)
        self._casebook = casebook
        self._places = places
        self._state = casebook.app.directory / "views"
        self._standby = Standby(
            self._state, casebook.app.bootstrap, topic=places.case_views, security=casebook.app.security
        )
        self._ends = Ends(casebook.app, lambda: [self._tp(number) for number in self._owned])
        self.beside = (self._keep, self._fire, self._ends.run, *((self._standby.run,) if casebook.standby else ()))
        self._membership = membership_of(self.app)
        self._outputs = Outputs(self._producer, limits, self._oversized)
        self._owned: dict[int, OwnedPartition] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._late: set[int] = set()
        self._stuck = Stuck()
        self._working = False
        self._generation = -1
        self._partitions = 0
        self._hurry = asyncio.Event()
        self._ready: Callable[[], None] | None = ready
        self._reached = Reached()
        batch_agent(self.app, batch_topic(self.app, places.events), self._work, MOST_BATCHES)
        self.app.on_rebalance_complete.connect(self._assigned)
        self.app.on_partitions_revoked.connect(self._revoked)
        self.app.on_before_shutdown.connect(self._ending)
        serve_pages(self.app, self.standing, CollectorRegistry())

    @property
    def owned(self) -> Mapping[int, OwnedPartition]:
        """The partitions it works on, by number."""
        return self._owned

    def standing(self) -> WorkerStanding:
        """How this worker is, for its pages."""
        restoring = [PartitionStanding(n, False, 0, 0, None) for n in self._opening if n not in self._owned]
        owned = [
            PartitionStanding(
                number,
                True,
                each.position,
                each.settled,
                self._ends.of(self._tp(number)),
                each.counted.events,
                each.counted.repeated,
                each.refused,
                each.unfolded_deadlines,
            )
            for number, each in self._owned.items()
        ]
        unwell = None if self._membership.certain else "its group has not answered for too long"
        if unwell is None and not self._working:
            unwell = "it is being told which partitions it has"
        return WorkerStanding(SERVICE, sorted([*owned, *restoring], key=lambda each: each.partition), unwell)

    async def _work(self, batch: RecordBatch) -> Awaitable[None]:
        owned = self._owned.get(batch.partition)
        if owned is None or not self._working:
            if self._working:
                self.app.consumer.pause_partitions([self._tp(batch.partition)])
            return unacknowledged()
        if batch.after is None or batch.after > owned.position:
            await self.app.consumer.seek(self._tp(batch.partition), owned.position)
            return unacknowledged()
        if not await self._has_room(owned):
            return unacknowledged()
        require_awake(self.app)
        folded = owned.fold(batch.records, batch.first, batch.end)
        if owned.calls:
            self._hurry.set()
        return folded

    async def _has_room(self, owned: OwnedPartition) -> bool:
        """Wait for the checkpoint of a full partition, also while it is not certain who owns it.

        False when the partition is handed in meanwhile.
        """

        def ours() -> bool:
            return self._working and self._owned.get(owned.number) is owned

        while owned.full and ours():
            if not await owned.checkpoint():
                await asyncio.sleep(LOOK_S)
        return ours()

    async def _assigned(self, *_: Any, **__: Any) -> None:
        """Called while partitions are still paused: open what is new, keep what nobody else can have had since."""
        mine = {tp.partition for tp in self.app.consumer.assignment() if tp.topic == self._places.events}
        generation, before = self.app.consumer_generation_id, self._generation
        self._generation = generation
        kept = mine if generation == before + 1 else set()
        await self._let_go(set(self._owned) - kept)
        if self._casebook.standby:
            await self._standby.follow(set(range(self._places.partitions)) - mine)
        self._partitions = len(mine)
        for each in self._owned.values():
            each.views.keep_ready(READY_FACTS // max(1, self._partitions))
        for number in mine - set(self._owned):
            self._opening[number] = asyncio.create_task(self._open(number), name=f"open {number}")
        cast(WorkerConsumer, self.app.consumer).reads_from = self._reads_from
        if self._opening:
            await asyncio.wait(self._opening.values(), timeout=OPENED_AT_ONCE_S)
        self._late = set(self._opening)
        self._working = True
        self._say_ready()

    def _reads_from(self, tp: TP) -> int | None:
        owned = self._owned.get(tp.partition) if tp.topic == self._places.events else None
        return None if owned is None else owned.position

    def _say_ready(self) -> None:
        if self._ready is not None and not self._opening:
            self._ready()
            self._ready = None

    async def _open(self, number: int) -> None:
        try:
            folding = Folding(number, self._places, self._casebook.policies)
            ready = READY_FACTS // max(1, self._partitions)
            views = open_partition(self._state, number, epoch=1, topic=self._places.case_views, cache_facts=ready)
            try:
                refolding = Refolding(folding.again, self._places.events)
                settings = self._casebook.app
                restored = await restore(views, settings.bootstrap, refolding=refolding, security=settings.security)
            except BaseException:
                views.close()
                raise
            _log.info(
                "partition %d: %d cases from %s in %.2f s, reads on at %d",
                *(number, restored.views, restored.source, restored.seconds, restored.offset),
            )
            firing = Firing(lambda at: self._casebook.policies.edition_at(at).id)
            self._owned[number] = OwnedPartition(
                number,
                views,
                folding,
                firing,
                self._places,
                self._outputs.send,
                self._outputs.placed,
                self._may_write,
                lambda link: len(self._casebook.policies.edition(link.edition).rule(link.rule).ladder),
            )
            del self._opening[number]
            if number in self._late:
                self._late.discard(number)
                await self.app.consumer.seek(self._tp(number), views.offset)
                self.app.consumer.resume_partitions([self._tp(number)])
            if self._working:
                self._say_ready()
        except Exception as failed:
            await self.app.crash(failed)

    async def _revoked(self, *_: Any, **__: Any) -> None:
        """Every partition is handed in. What may still be this worker's own stays open, for it may get it back."""
        self._working = False
        await self._stop_opening()
        certain = self._may_write()
        await asyncio.gather(*(each.checkpoint() for each in self._owned.values()))
        if not certain:
            await self._let_go(set(self._owned))
        await _acknowledged()

    async def _ending(self, *_: Any, **__: Any) -> None:
        self._working = False
        await self._stop_opening()
        if self.app.crash_reason is None:
            await asyncio.gather(*(each.checkpoint() for each in self._owned.values()))
            await _acknowledged()
            await self.app.consumer.commit()
        await self._let_go(set(self._owned))

    async def _stop_opening(self) -> None:
        opening = list(self._opening.values())
        self._opening.clear()
        self._late.clear()
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)

    async def _let_go(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            await self._owned.pop(number).close()

    async def _keep(self) -> None:
        """Checkpoint what was folded, again and again."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECKPOINT_S):
                    await self._hurry.wait()
            self._hurry.clear()
            # One after another: between two of them, events that have just come are folded and told of.
            for each in list(self._owned.values()):
                await each.checkpoint()
            await self._unstick()

    async def _unstick(self) -> None:
        if any(each.full for each in self._owned.values()):
            return  # nothing is folded until it is checkpointed, of no partition
        for number, owned in list(self._owned.items()):
            tp = self._tp(number)
            if self._working and self._stuck.noticed(tp, owned.position, self._ends.of(tp)):
                await self.app.consumer.seek(tp, owned.position)

    async def _fire(self) -> None:
        """Fire the deadlines that have passed, of partitions that have folded everything recorded before."""
        # Not by the app's own consumer: a broker answers what comes on one connection in order, and there it waits for
        # records, for more than a second when none come.
        settings = self._casebook.app
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.bootstrap.split(","), **aiokafka_settings(settings.security)
        ) as asking:
            while True:
                await asyncio.sleep(LOOK_S)
                if not self._may_write():
                    self._reached.away(monotonic())
                elif self._working:
                    await self._fire_passed(asking)

    async def _fire_passed(self, asking: AIOKafkaConsumer) -> None:
        now = self._casebook.clock.now()
        due = [n for n, each in self._owned.items() if (at := each.views.next_at()) is not None and at <= now]

        async def ends(numbers: Collection[int]) -> Mapping[int, int]:
            found = await asking.end_offsets([TopicPartition(self._places.events, number) for number in numbers])
            return {tp.partition: end for tp, end in found.items()}

        def position(number: int) -> int | None:
            owned = self._owned.get(number)
            return None if owned is None else owned.position

        for number, at in await self._reached.passed(due, now, monotonic(), ends, position):
            if (owned := self._owned.get(number)) is not None:
                await owned.fire(at)

    def _may_write(self) -> bool:
        """Whether this worker certainly owns what it has. Raises `Awoke` when it slept for too long."""
        require_awake(self.app)
        return self._membership.certain

    def _tp(self, number: int) -> TP:
        return TP(self._places.events, number)

    def _producer(self) -> Any:
        return cast(Any, self.app.producer)._ensure_producer()

    async def _oversized(self, record: OversizedRecord) -> None:
        """A record that its topic cannot hold is told of in quarantine, and left out."""
        await self._outputs.send(0, [too_large(self._places, record)])


async def _acknowledged() -> None:
    """Give the agent its turn to acknowledge what a checkpoint has just released."""
    for _ in range(4):
        await asyncio.sleep(0)
