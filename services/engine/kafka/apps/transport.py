"""The batch transport for a worker that keeps state: its partitions stay where they were, its membership is watched.

Built on aiokafka 0.14, which knows static members but never says goodbye for one, and on Faust 0.15, which shares out
partitions by turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import aiokafka
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT

from services.engine.kafka.apps.membership import Membership, boot_s
from services.engine.kafka.batches import register
from services.engine.kafka.batches.consumer import BatchConsumer, BatchConsumerThread
from services.engine.kafka.batches.transport import Transport

SCHEME = "kafkaworker"
"""`faust.App(broker="kafkaworker://host:port")`."""
_MEMBERSHIPS: WeakKeyDictionary[AppT, Membership] = WeakKeyDictionary()


def membership_of(app: AppT) -> Membership:
    """An app's membership; made the first time it is asked for."""
    if app not in _MEMBERSHIPS:
        _MEMBERSHIPS[app] = Membership(app.conf.broker_session_timeout)
    return _MEMBERSHIPS[app]


class WorkerConsumerThread(BatchConsumerThread):
    """Where aiokafka runs."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Partitions that move need their state restored: as few as possible are to move. aiokafka's assignor remembers
        # on the class what its member had.
        assignor = type("Sticky", (StickyPartitionAssignor,), {"member_assignment": None, "generation": -1})
        consumer._partition_assignment_strategy = [assignor]
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, and listen in on its heartbeats."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        membership, beat = membership_of(self.app), coordinator._do_heartbeat

        async def heard() -> bool:
            asked_at_s = boot_s()
            answered: bool = await beat()
            if answered:
                membership.heard(asked_at_s)
            return answered

        coordinator._do_heartbeat = heard

    async def on_partitions_assigned(self, assigned: set[Any], generation_id: int = 0) -> None:
        """The group has just answered."""
        membership_of(self.app).heard(boot_s())
        for assignor in self._ensure_consumer()._partition_assignment_strategy:
            assignor.on_generation_assignment(generation_id)  # aiokafka forgets to tell it
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_thread_stop(self) -> None:
        """End the consumer; its partitions are given to others at once."""
        if self._consumer is not None and self._consumer._coordinator is not None:
            # aiokafka says goodbye only for members without a name: a named one would be waited for.
            self._consumer._coordinator._group_instance_id = None
        try:
            await super().on_thread_stop()
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            # Nobody cancelled this: aiokafka waits for a fetch that it has cancelled while that paused before it was
            # tried again, and leaves its connections open.
            await self._ensure_consumer()._client.close()


class WorkerConsumer(BatchConsumer):
    """The batch consumer on that thread, which reads on where the worker's own state ends."""

    reads_from: Callable[[TP], int | None] = staticmethod(lambda tp: None)
    """Where to read a partition from, whatever the group has committed; None: where it has."""

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read again from where the state ends, or else from what is committed."""
        found = dict(await super().seek_to_committed())
        found.update(await self._sought(found))
        return found

    async def _batches_read_again(self) -> None:
        await super()._batches_read_again()
        await self._sought({tp: self._arrived.get(tp) for tp in self.assignment()})

    async def _sought(self, found: Mapping[TP, int | None]) -> dict[TP, int]:
        wanted = {tp: at for tp in found if (at := self.reads_from(tp)) is not None}
        elsewhere = {tp: at for tp, at in wanted.items() if at != found[tp]}
        for tp, at in elsewhere.items():
            await self.seek(tp, at)
        if elsewhere:
            # Whoever looks at the group sees how far the state is; what is behind it is as good as committed.
            await self._thread.commit(elsewhere)
        return wanted

    def _new_consumer_thread(self) -> WorkerConsumerThread:
        return WorkerConsumerThread(self, loop=self.loop, beacon=self.beacon)


class WorkerTransport(Transport):
    """Faust's transport with that consumer."""

    Consumer = WorkerConsumer


def worker_url(bootstrap: str) -> str:
    """A bootstrap address (`host:port`, with commas) as Faust's URL of this transport."""
    register()
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:{WorkerTransport.__name__}"
    return ";".join(f"{SCHEME}://{address.strip()}" for address in bootstrap.split(","))
