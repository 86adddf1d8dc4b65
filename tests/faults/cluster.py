"""Topics of one test on a real broker, workers as processes of their own, and what they made of the events."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

from ccr_events.core.codec import decode_transition, encode_view
from ccr_events.envelope import read_fact
from ccr_events.policy import PolicyBook
from services.casebook.partition import UNTOLD, Folding, Places
from services.casebook.worker import places_of
from services.engine.kafka.outgoing import EventRecord, partition_of
from services.engine.kafka.topics import (
    Layout,
    Size,
    apply,
    catalogue,
    cluster_admin,
    differences,
    topics_on,
    write_layout,
)
from services.engine.kafka.views import Refolding, open_partition, restore
from services.engine.kafka.views.records import MARK_KEY, decode_mark, decode_view
from tests.faults.clocks import Clocks
from tests.faults.comparing import Differences, Differs, Said, compared, compared_views
from tests.support.kafka_week import Embedded

ROOT = Path(__file__).parents[2]
PATIENCE_S = 90.0
SESSION_TIMEOUT_S = 3.0
"""Of the workers; the broker of the tests allows it."""


PARTITIONS = 4
POISONED = b"case-poison"
"""Key of records that nothing can be made of."""
SETTINGS = {"group.min.session.timeout.ms": "1000", "group.initial.rebalance.delay.ms": "0"}
"""Of the brokers."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""Where the workers' clock stands when a log is published that has its deadlines in it: they are to fire none."""
_generations = count(1)


class StoredRecord(NamedTuple):
    """As it stands on a topic."""

    partition: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes]


@dataclass
class Cluster:
    """Topics, a consumer group and a directory for workers."""

    bootstrap: str
    directory: Path
    size: Size
    group: str
    clocks: Clocks
    """The workers'."""
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return places_of(self.size)

    @contextmanager
    def workers(self) -> Iterator[None]:
        """Whatever was started meanwhile is gone afterwards."""
        try:
            yield
        finally:
            for process in self.started:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()

    def worker(
        self,
        number: int,
        web_port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start one, with these variables beside its own; the log lies in the directory."""
        with (self.directory / f"worker-{number}.log").open("a") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.faults.worker", self.bootstrap, self.group),
                    *(
                        str(self.directory / "data"),
                        str(number),
                        str(self.directory),
                        str(SESSION_TIMEOUT_S),
                    ),
                    *([] if web_port is None else [str(web_port)]),
                ],
                cwd=ROOT,
                env=os.environ | (environment or {}),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.started.append(process)
        return process

    async def says(self, process: subprocess.Popen[str], word: str) -> None:
        """Wait until a worker says so."""

        def read() -> None:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == word:
                    return
            raise AssertionError(f"the worker ended with {process.wait()} before it was {word}: {self.log()}")

        async with asyncio.timeout(PATIENCE_S):
            await asyncio.to_thread(read)

    def log(self, worker: int | str = "*") -> str:
        """The end of what they said, or of what one did."""
        return "\n".join(path.read_text()[-3_000:] for path in sorted(self.directory.glob(f"worker-{worker}.log")))

    async def publish(self, log: Sequence[EventRecord], every_s: float = 0.0) -> None:
        """Write events as intake does, in order; every hundred, wait so long."""
        async with self.producer() as write:
            for first in range(0, len(log), 100):
                await write(log[first : first + 100])
                await asyncio.sleep(every_s)

    @asynccontextmanager
    async def producer(self) -> AsyncIterator[Callable[[Sequence[EventRecord]], Awaitable[None]]]:
        """Writes events as intake does: in order, acknowledged by all replicas when it returns."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True) as producer:

            async def write(log: Sequence[EventRecord]) -> None:
                sending = [
                    await producer.send(
                        self.places.events,
                        record.value,
                        key=record.key,
                        partition=partition_of(record.key, self.size.partitions),
                        headers=list(record.headers),
                    )
                    for record in log
                ]
                await asyncio.gather(*sending)

            yield write

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        partitions = [TopicPartition(topic, number) for number in range(self.size.partitions)]
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:
            found: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return found

    async def committed(self, admin: AIOKafkaAdminClient) -> dict[int, int]:
        """Partition → committed offset of the events."""
        # A broker's very first group has to wait for the topic of the offsets.
        with suppress(GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            found = await admin.list_consumer_group_offsets(self.group)
            return {tp.partition: each.offset for tp, each in found.items() if tp.topic == self.places.events}
        return {}

    async def until_settled(self) -> None:
        """Wait until the workers have committed all there is, which they do behind their checkpoints."""
        async with asyncio.timeout(PATIENCE_S), cluster_admin(self.bootstrap) as admin:
            while True:
                ends, committed = await self.ends(self.places.events), await self.committed(admin)
                if all(end == 0 or committed.get(tp.partition, -1) >= end for tp, end in ends.items()):
                    return
                await asyncio.sleep(0.2)

    async def until_committed(self, count: int) -> None:
        """Wait until so many records, of all partitions, are committed."""
        async with asyncio.timeout(PATIENCE_S), cluster_admin(self.bootstrap) as admin:
            while sum((await self.committed(admin)).values()) < count:
                await asyncio.sleep(0.1)

    async def until_linked(self, count: int) -> None:
        """Wait until so many different transitions stand on the topic."""
        async with asyncio.timeout(PATIENCE_S):
            while len({each.id for each in await self.transitions()}) < count:
                await asyncio.sleep(0.3)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Set the group's offsets, while no worker runs."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.group, enable_auto_commit=False
        ) as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)

    async def records(self, topic: str, partitions: int | None = None) -> list[StoredRecord]:
        """Everything on a topic, what is in one partition in order."""
        wanted = [TopicPartition(topic, n) for n in range(self.size.partitions if partitions is None else partitions)]
        found: list[StoredRecord] = []
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed")
        async with consumer, asyncio.timeout(PATIENCE_S):
            consumer.assign(wanted)
            await consumer.seek_to_beginning(*wanted)
            ends = await consumer.end_offsets(wanted)
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    found += [StoredRecord(tp.partition, r.key, r.value, dict(r.headers)) for r in records]
        return found

    async def epochs(self) -> list[list[int]]:
        """Of every record of the views, in the order of the log, by partition."""
        found: list[list[int]] = [[] for _ in range(self.size.partitions)]
        for record in await self.records(self.places.case_views):
            if record.value is not None:
                marked = record.key == MARK_KEY
                epoch = decode_mark(record.value).epoch if marked else decode_view(record.value)[0]
                found[record.partition].append(epoch)
        return found

    async def transitions(self) -> list[Said]:
        """What people hear of, as it stands on the topic."""
        return [
            told(each.value, each.key.decode())
            for each in await self.records(self.places.links)
            if UNTOLD not in each.headers
        ]

    async def events(self) -> list[Said]:
        """What stands on the topic and can be read."""
        return [event_said(each.value) for each in await self.records(self.places.events) if each.key != POISONED]

    async def views(self, cases: Sequence[str], policies: PolicyBook, directory: Path) -> dict[str, bytes]:
        """What `ccr.case-views` alone gives a worker that has no state."""
        found: dict[str, bytes] = {}
        for number in range(self.size.partitions):
            views = open_partition(directory, number, epoch=1, topic=self.places.case_views)
            folding = Folding(number, self.places, policies)
            try:
                restored = await restore(views, self.bootstrap, refolding=Refolding(folding.again, self.places.events))
                own = [case for case in cases if partition_of(case.encode(), self.size.partitions) == number]
                found |= {case: encode_view(views.get(case)) for case in own}
                assert restored.views == len(own)
            finally:
                views.close()
        return found

    async def checkpoints(self) -> list[tuple[int, str, int, int]]:
        """(partition, case id, epoch of the owner, `as_of`) of every view that was written, in order; "" for a mark."""
        found = []
        for each in await self.records(self.places.case_views):
            if each.key == MARK_KEY:
                mark = decode_mark(each.value)
                found.append((each.partition, "", mark.epoch, mark.offset))
            else:
                epoch, as_of, _, _ = decode_view(each.value)
                found.append((each.partition, each.key.decode(), epoch, as_of))
        return found

    async def until_kept(self) -> None:
        """Wait until the marks on `ccr.case-views` say that every view has all there is, whatever is committed."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                newest: dict[int, tuple[int, int]] = {}
                for number, case_id, epoch, as_of in await self.checkpoints():
                    if not case_id:
                        newest[number] = max(newest.get(number, (0, 0)), (epoch, as_of))
                ends = await self.ends(self.places.events)
                if all(newest.get(tp.partition, (0, 0))[1] >= end for tp, end in ends.items()):
                    return
                await asyncio.sleep(0.5)

    async def refused(self) -> list[dict[str, str]]:
        """What is in quarantine of this test's topics."""
        entries = [orjson.loads(each.value) for each in await self.records(self.places.quarantine, 1)]
        return [entry for entry in entries if entry["source"].startswith(f"{self.places.events}/")]

    async def differences(self, expected: Embedded, policies: PolicyBook, directory: Path) -> Differences:
        """Between what is there and what the embedded engine made: events and transitions by id, with their bytes and
        in the order of their case; views by their bytes, and in the order in which they grew."""
        events = [event_said(each.value) for each in expected.log]
        found = compared("event", events, await self.events())
        found.add(transitions := compared("transition", as_told(expected, events), await self.transitions()))
        found.repeated = transitions.repeated
        found.add(compared_views(expected.views, await self.views(sorted(expected.views), policies, directory)))
        found.disordered += fallen_back(await self.checkpoints())
        return found

    async def compare(self, expected: Embedded, policies: PolicyBook, directory: Path) -> int:
        """Raise `Differs` unless everything is as the embedded engine made it; returns how many transitions stand on
        the topic again under the same id."""
        found = await self.differences(expected, policies, directory)
        if found:
            raise Differs(found.told())
        return found.repeated


def told(value: bytes, case_id: str) -> Said:
    """A transition as it is encoded. `case_id`: the case whose view says so; after a merge it holds links of others,
    and what two cases say of one link stands in two partitions."""
    transition = decode_transition(value)
    return Said(transition.id, case_id, value, f"{transition.link.id} {transition.kind} {transition.step}")


def as_told(expected: Embedded, events: Iterable[Said]) -> list[Said]:
    """The transitions of the embedded engine, each by the case of the event that caused it."""
    cases = {event.id: event.case_id for event in events}
    return [told(value, cases[decode_transition(value).cause]) for value in expected.transitions.values()]


def event_said(value: bytes) -> Said:
    """An event as it is encoded."""
    fact = read_fact(value)
    return Said(fact.id, fact.case_id, value, fact.id)


def fallen_back(checkpoints: Iterable[tuple[int, str, int, int]]) -> list[str]:
    """Cases of which one and the same owner wrote a view that has less of the input than its view before."""
    reached: dict[tuple[int, str, int], int] = {}
    found = []
    for number, case_id, epoch, as_of in checkpoints:
        if as_of < reached.get((number, case_id, epoch), 0):
            found.append(f"views of {case_id or f'partition {number}'}")
        reached[number, case_id, epoch] = as_of
    return found


@asynccontextmanager
async def on_fresh_topics(bootstrap: str, directory: Path, copies: int) -> AsyncIterator[Cluster]:
    """Topics of a generation of its own; workers that were started are gone afterwards."""
    size = Size(PARTITIONS, copies, next(_generations))
    wanted = catalogue(size)
    async with cluster_admin(bootstrap) as admin:
        found = differences(wanted, await topics_on(admin, [topic.name for topic in wanted]))
        assert not await apply(admin, wanted, found)
    await write_layout(bootstrap, Layout(size.generation, size.partitions))
    made = Cluster(bootstrap, directory, size, f"casebook-{uuid4().hex[:8]}", Clocks(directory, LONG_AGO))
    with made.workers():
        yield made
