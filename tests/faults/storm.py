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
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from aiokafka.errors import KafkaError

from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.envelope import read_fact
from ccr_events.policy import PolicyBook
from services.engine.kafka.apps.fleet import READY
from services.engine.kafka.broker import kill_node, standing, start
from services.engine.kafka.outgoing import EventRecord
from tests.faults.cluster import LONG_AGO, POISONED, SESSION_TIMEOUT_S, Cluster
from tests.faults.comparing import Differences, Differs
from tests.faults.proxy import Network
from tests.faults.publishing import Publishing
from tests.support.kafka_steps import Stepped

HEAP_MB = 256
WORKERS = 2
ENDS_WITHIN_S = 30.0
RESET_TRIES = 3
SUPERVISED_EVERY_S = 0.5
CLOCK_BACK_S = 15.0
"""How long a clock stays set back, at most."""
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
    deadlines: int = 0
    """Of the events: those that the workers fired."""
    lost: int = 0
    """Events, transitions and views that are missing."""
    twice: int = 0
    """Ids with two contents, and what was told again under another id: what is left once repeated ids are dropped."""
    different: int = 0
    """With another content than the calm engine made, or never to be."""
    disordered: int = 0
    """Cases of which events, transitions or views stand in another order."""
    repeated: int = 0
    """Transitions written again by whoever went on; readers drop them by their id."""
    late_by_clock: int = 0
    """Deadlines that had passed and were not fired while the clock of their owner was set back."""
    quarantined: int = 0
    longest_stall_s: float = 0.0
    """From an event's acknowledgement to the first transition that it causes, at most."""

    def told(self) -> str:
        """As one line for a person."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items()))
        return (
            f"seed {self.seed}: {self.faults.total()} faults ({kinds}); {self.events:,} events, {self.deadlines:,} of "
            f"them deadlines fired, {self.late_by_clock} of those late by a clock that was set back; "
            f"{self.transitions:,} transitions: {self.lost} lost, {self.twice} twice once {self.repeated} repeated "
            f"ones are dropped, {self.different} different, {self.disordered} cases out of order; "
            f"longest stall {self.longest_stall_s:.1f} s"
        )

    def as_json(self) -> Mapping[str, object]:
        return asdict(self) | {"faults": dict(self.faults)}

    def judge(self, found: Differences) -> None:
        """Count what differs. Raises `Differs` when anything does; says which."""
        self.lost, self.twice = len(found.lost), len(found.twice)
        self.different, self.disordered = len(found.different), len(found.disordered)
        self.repeated = found.repeated
        if found:
            raise Differs(f"{self.told()}\n{found.told()}")


class DidNotHappen(Exception):
    """A fault that the cluster did not let happen; says why. It is not counted."""


@dataclass
class Storm:
    """Over one cluster of three brokers. `brokers`: its directory."""

    cluster: Cluster
    brokers: Path
    script: Stepped
    policies: PolicyBook
    seed: int
    totals: Totals = field(init=False)
    _workers: dict[int, subprocess.Popen[str]] = field(default_factory=dict)
    _seen_at_work: set[subprocess.Popen[str]] = field(default_factory=set)
    _networks: dict[int, Network] = field(default_factory=dict)
    timeline: list[str] = field(default_factory=list)
    """When which fault began, in the order they came."""

    def __post_init__(self) -> None:
        self.totals = Totals(self.seed)
        self._random = random.Random(self.seed)
        self._publishing = Publishing(self.cluster, self.script)

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
        watching = asyncio.create_task(self._publishing.watch())
        publishing: asyncio.Task[None] | None = None
        try:
            for number in range(WORKERS):
                self._start(number)
            for number in range(WORKERS):
                await self._at_work(number)
            publishing = asyncio.create_task(self._publishing.publish(seconds))
            for name in faults:
                await self._befalls(name)
                await asyncio.sleep(self._random.uniform(0.0, 1.0))
                if any(task.done() and task.exception() for task in (publishing, watching)):
                    break
            self._note("no further fault")
            await self._healed()
            await self._supervised(publishing)
            self._note("everything is published")
            await self._supervised(asyncio.create_task(self._settled()))
            self._note("settled")
            await self._compared(views)
        finally:
            for task in (publishing, watching):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
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
        wanted = ends if self._random.random() < 0.5 else dict.fromkeys(ends, 0)
        refused = ""
        for _ in range(RESET_TRIES):
            await asyncio.sleep(1.2 * SESSION_TIMEOUT_S)  # as long as the members that were killed are still known
            try:
                await self.cluster.commit(wanted)
                refused = ""
                break
            except KafkaError as error:
                refused = type(error).__name__
        for number in range(WORKERS):
            self._start(number)
        if refused:
            raise DidNotHappen(f"the offsets could not be set: {refused}")

    async def state_lost(self) -> None:
        """A worker comes back to an empty disk."""
        number = self._any()
        await self._end(number, signal.SIGKILL)
        for directory in (self.cluster.directory / "data").glob(f"*/worker-{number}"):
            shutil.rmtree(directory, ignore_errors=True)
        self._start(number)

    async def clock_jump(self) -> None:
        """One worker's clock is set years back until deadlines of its partitions wait for it; then it is right again.

        What holds: what has passed by the true time is late, and neither lost nor another event than it would have
        been. A clock that is ahead is another matter: what it stamps is early, and so are deadlines (docs/kafka.md).
        """
        number = self._any()
        await self._at_work(number)
        self.cluster.clocks.set_wrong(number, LONG_AGO)
        try:
            late = await self._publishing.held_up(CLOCK_BACK_S)
        finally:
            self.cluster.clocks.set_right(number)
        if not late:
            raise DidNotHappen("no deadline was due while a clock was set back")
        self.totals.late_by_clock += late

    async def poison_record(self) -> None:
        """A record that nothing can be made of stands between the events."""
        await self.cluster.publish([EventRecord(POISONED, POISON)])
        self.totals.quarantined += 1

    async def _befalls(self, name: str) -> None:
        """A fault, counted once it has happened."""
        self._note(name)
        try:
            await self.kinds[name]()
        except DidNotHappen as why:
            self._note(f"it did not happen: {why}")
        else:
            self.totals.faults[name] += 1

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

    async def _supervised(self, task: asyncio.Task[None]) -> None:
        """Wait until it is done; a worker that ends by itself is started again meanwhile."""
        try:
            while not task.done():
                for number in range(WORKERS):
                    self._start_again_if_ended(number)
                await asyncio.wait([task], timeout=SUPERVISED_EVERY_S)
            task.result()
        finally:
            task.cancel()

    async def _settled(self) -> None:
        await self._publishing.until_told()
        await self.cluster.until_settled()
        await self.cluster.until_kept()

    async def _healed(self) -> None:
        """Everybody is there again. A worker that ended by itself is one its supervisor would start again."""
        for network in self._networks.values():
            network.heal()
        await start(self.brokers, brokers=3, heap_mb=HEAP_MB)
        for number in range(WORKERS):
            self._start_again_if_ended(number)

    async def _compared(self, views: Path) -> None:
        made = self.script.made
        self.totals.events, self.totals.transitions = len(made.log), len(made.transitions)
        self.totals.deadlines = sum(read_fact(each.value).type == DEADLINE_REACHED for each in made.log)
        self.totals.longest_stall_s = self._publishing.longest_stall_s()
        self.totals.judge(await self.cluster.differences(made, self.policies, views))
        places = {entry["source"] for entry in await self.cluster.refused()}
        assert len(places) == self.totals.quarantined, "as many records in quarantine as there were poisoned"
        assert "Testperson" not in self.cluster.log()
