"""A storm of faults over a cluster that works: brokers, workers, the network between them, offsets, state, records.

One fault after another while events come; then everything is healed, and what was made of the events is compared with
what a calm engine makes of them.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition

from ccr_events.core.codec import decode_transition
from ccr_events.envelope import read_fact
from ccr_events.policy import PolicyBook
from services.casebook.partition import UNTOLD
from services.engine.kafka.apps.fleet import READY
from services.engine.kafka.broker import kill_node, standing, start
from services.engine.kafka.outgoing import EventRecord
from tests.faults.cluster import SESSION_TIMEOUT_S, Cluster
from tests.faults.proxy import Network
from tests.faults.worker import SET_BACK
from tests.support.kafka_week import Embedded

HEAP_MB = 256
WORKERS = 2
ENDS_WITHIN_S = 30.0
ANEW = "this one must start anew"
"""Last words of a worker that found what it had not written: after a fault another had its partition for a while."""
POISON = b'{"surname": "Testperson"'


@dataclass
class Totals:
    """What a storm was, and what it left."""

    seed: int
    faults: Counter[str] = field(default_factory=Counter)
    events: int = 0
    transitions: int = 0
    lost: int = 0
    """Transitions that are missing. The comparison of views has failed before this is printed, if it fails."""
    twice: int = 0
    """Different contents under one id: what is left once repeated ids are dropped."""
    repeated: int = 0
    """Written again by whoever went on; readers drop them by their id."""
    quarantined: int = 0
    longest_stall_s: float = 0.0
    """From an event's acknowledgement to the first transition that it causes, at most."""

    def told(self) -> str:
        """As one line for a person."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return (
            f"seed {self.seed}: {self.faults.total()} faults ({kinds}); {self.events:,} events, {self.transitions:,} "
            f"transitions: {self.lost} lost, {self.twice} twice once {self.repeated} repeated ones are dropped; "
            f"longest stall {self.longest_stall_s:.1f} s"
        )

    def as_json(self) -> Mapping[str, object]:
        return asdict(self) | {"faults": dict(self.faults)}


@dataclass
class Storm:
    """Over one cluster of three brokers. `brokers`: its directory."""

    cluster: Cluster
    brokers: Path
    weeks: Embedded
    policies: PolicyBook
    seed: int
    totals: Totals = field(init=False)
    _workers: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    _seen_at_work: set[subprocess.Popen[str]] = field(default_factory=set)
    _networks: dict[int, Network] = field(default_factory=dict)
    _written_s: dict[str, float] = field(default_factory=dict)
    """Event id → when it was acknowledged."""
    timeline: list[str] = field(default_factory=list)
    """When which fault began, in the order they came."""
    _told_s: dict[str, float] = field(default_factory=dict)
    """Event id → when the first transition came that it causes."""

    def __post_init__(self) -> None:
        self.totals = Totals(self.seed)
        self._random = random.Random(self.seed)

    @property
    def kinds(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Every fault by its name."""
        return {
            "worker killed": self.worker_killed,
            "worker stopped cleanly": self.worker_stopped,
            "zombie": self.zombie,
            "slow consumer": self.slow_consumer,
            "network cut": self.network_cut,
            "network slow": self.network_slow,
            "broker killed": self.broker_killed,
            "broker frozen": self.broker_frozen,
            "rebalance storm": self.rebalance_storm,
            "offsets reset": self.offsets_reset,
            "state lost": self.state_lost,
            "clock jump": self.clock_jump,
            "poison record": self.poison_record,
        }

    async def run(self, faults: Iterable[str], seconds: float, views: Path) -> Totals:
        """These faults, one after another, while the events come over so many seconds; then heal and compare."""
        ports = [node.port for node in await standing(self.brokers)]
        for number in range(WORKERS):
            self._networks[number] = Network()
            await self._networks[number].start(ports)
        watching = asyncio.create_task(self._watched())
        try:
            for number in range(WORKERS):
                self._start(number)
            for number in range(WORKERS):
                await self._at_work(number)
            publishing = asyncio.create_task(self._publish(seconds))
            for name in faults:
                self.totals.faults[name] += 1
                self._note(name)
                await self.kinds[name]()
                await asyncio.sleep(self._random.uniform(0.0, 1.0))
            self._note("no further fault")
            await publishing
            self._note("everything is published")
            await self._healed()
            await self.cluster.until_settled()
            self._note("settled")
            await self._compared(views)
            self.totals.longest_stall_s = self._longest_stall_s()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            for network in self._networks.values():
                await network.close()
        return self.totals

    async def worker_killed(self) -> None:
        """kill -9 in the middle of work; it comes back under its name."""
        number = self._any()
        await asyncio.sleep(self._random.uniform(0.0, 0.5))
        await self._end(number, signal.SIGKILL)
        self._start(number)

    async def worker_stopped(self) -> None:
        """SIGTERM: it ends in time, with status 0, or because it saw that its partition had been another's."""
        number = self._any()
        worker = await self._at_work(number)
        worker.send_signal(signal.SIGTERM)
        status = await self._ended(worker, "SIGTERM")
        assert status == 0 or ANEW in self.cluster.log(number)[-200:], (
            f"a worker that was told to stop ended with {status}: {self.cluster.log()}"
        )
        self._start(number)

    async def zombie(self) -> None:
        """Paused for longer than its group waits; awake again it must end without writing."""
        number = self._any()
        worker = await self._at_work(number)
        worker.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.5 * SESSION_TIMEOUT_S)
        worker.send_signal(signal.SIGCONT)
        await self._ended(worker, "waking up as a zombie")
        self._start(number)

    async def slow_consumer(self) -> None:
        """It hardly gets to run, but its group hears of it."""
        worker = self._workers[self._any()]
        for _ in range(8):
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.3)
            worker.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.1)

    async def network_cut(self) -> None:
        """Between one worker and all brokers, for longer than its group waits."""
        number = self._any()
        self._networks[number].cut()
        await asyncio.sleep(1.5 * SESSION_TIMEOUT_S)
        self._networks[number].heal()
        self._start_again_if_ended(number)

    async def network_slow(self) -> None:
        """Everything takes a fifth of a second longer each way."""
        network = self._networks[self._any()]
        network.delay_s = 0.2
        await asyncio.sleep(SESSION_TIMEOUT_S)
        network.delay_s = 0.0

    async def broker_killed(self) -> None:
        """kill -9; the other two go on, and it comes back."""
        node = self._random.choice([node.id for node in await standing(self.brokers)])
        await kill_node(self.brokers, node)
        await asyncio.sleep(self._random.uniform(0.5, 2.0))
        await start(self.brokers, brokers=3, heap_mb=HEAP_MB)

    async def broker_frozen(self) -> None:
        """A broker that says nothing, and then goes on where it was."""
        pid = self._random.choice([node.pid for node in await standing(self.brokers)])
        assert pid is not None
        process = psutil.Process(pid)
        process.suspend()
        await asyncio.sleep(self._random.uniform(1.0, 4.0))
        process.resume()

    async def rebalance_storm(self) -> None:
        """A third worker joins and is gone, again and again."""
        for _ in range(3):
            self._start(WORKERS)
            await asyncio.sleep(self._random.uniform(0.2, 2.0))
            await self._end(WORKERS, self._random.choice([signal.SIGKILL, signal.SIGTERM]))

    async def offsets_reset(self) -> None:
        """Somebody sets the group's offsets while nobody works: to the beginning, or behind all there is."""
        for number in list(self._workers):
            await self._end(number, signal.SIGKILL)
        ends = await self.cluster.ends(self.cluster.places.events)
        with suppress(Exception):  # the members that were killed are still known: then a worker is killed, no more
            await asyncio.sleep(1.2 * SESSION_TIMEOUT_S)
            await self.cluster.commit(ends if self._random.random() < 0.5 else dict.fromkeys(ends, 0))
        for number in range(WORKERS):
            self._start(number)

    async def state_lost(self) -> None:
        """A worker comes back to an empty disk."""
        number = self._any()
        await self._end(number, signal.SIGKILL)
        for directory in (self.cluster.directory / "data").glob(f"*/worker-{number}"):
            shutil.rmtree(directory, ignore_errors=True)
        self._start(number)

    async def clock_jump(self) -> None:
        """One worker's clock is set years back while it works."""
        worker = await self._at_work(self._any())
        worker.send_signal(SET_BACK)

    async def poison_record(self) -> None:
        """A record that nothing can be made of stands between the events."""
        await self.cluster.publish([EventRecord(b"case-poison", POISON)])
        self.totals.quarantined += 1

    def _note(self, what: str) -> None:
        self.timeline.append(f"{datetime.now(UTC):%H:%M:%S} {what}")

    def _any(self) -> int:
        return self._random.randrange(WORKERS)

    def _start(self, number: int) -> None:
        network = self._networks.get(number)
        environment = network.environment if network else None
        self._workers[number] = self.cluster.worker(number, environment=environment)

    async def _end(self, number: int, how: signal.Signals) -> None:
        worker = self._workers.pop(number)
        worker.send_signal(how)
        await self._ended(worker, how.name)

    async def _ended(self, worker: subprocess.Popen[str], after: str) -> int:
        """Its exit status, once it ended."""
        try:
            return await asyncio.to_thread(worker.wait, ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"a worker did not end within {ENDS_WITHIN_S:.0f} s of {after}: {self.cluster.log()}"
            ) from None

    async def _at_work(self, number: int) -> subprocess.Popen[str]:
        """A worker once it works on its partitions. Before that it is no member of its group, and has no state."""
        self._start_again_if_ended(number)
        worker = self._workers[number]
        if worker not in self._seen_at_work:
            await self.cluster.says(worker, READY)
            self._seen_at_work.add(worker)
        return worker

    def _start_again_if_ended(self, number: int) -> None:
        if self._workers[number].poll() is not None:
            self._start(number)

    async def _healed(self) -> None:
        """Everybody is there again. A worker that ended by itself is one its supervisor would start again."""
        for network in self._networks.values():
            network.heal()
        await start(self.brokers, brokers=3, heap_mb=HEAP_MB)
        for number in range(WORKERS):
            self._start_again_if_ended(number)

    async def _publish(self, seconds: float) -> None:
        """The events in order, spread over the time."""
        log, part = self.weeks.log, 25
        pause_s = seconds * part / len(log)
        async with self.cluster.producer() as write:
            for first in range(0, len(log), part):
                some = log[first : first + part]
                await write(some)
                self._written_s |= dict.fromkeys((read_fact(record.value).id for record in some), monotonic())
                await asyncio.sleep(pause_s)

    async def _watched(self) -> None:
        """Notes when the first transition came that an event causes."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.cluster.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            consumer.assign([TopicPartition(self.cluster.places.links, n) for n in range(self.cluster.size.partitions)])
            while True:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    told = [decode_transition(r.value) for r in records if UNTOLD not in dict(r.headers)]
                    for transition in told:
                        self._told_s.setdefault(transition.cause, monotonic())

    def _longest_stall_s(self) -> float:
        waits = (self._told_s[each] - at_s for each, at_s in self._written_s.items() if each in self._told_s)
        return max(waits, default=0.0)

    async def _compared(self, views: Path) -> None:
        self.totals.repeated = await self.cluster.compare(self.weeks, self.policies, views)
        self.totals.events, self.totals.transitions = len(self.weeks.log), len(self.weeks.transitions)
        places = {entry["source"] for entry in await self.cluster.refused()}
        assert len(places) == self.totals.quarantined, "as many records in quarantine as there were poisoned"
        assert "Testperson" not in self.cluster.log()
