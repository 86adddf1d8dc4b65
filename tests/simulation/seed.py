"""One run: a seed's county, plan and faults, until it is calm again; then the laws."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from random import Random

import services.engine.sqlite.database as database
from ccr_events.policy import PolicyBook, load_policies
from tests.simulation.adapters import start_adapters
from tests.simulation.backbone import Backbones
from tests.simulation.books import Books
from tests.simulation.calm_again import same_when_calm
from tests.simulation.clock import SimulatedClock
from tests.simulation.desks import Desk, coordinate
from tests.simulation.disk import Disks
from tests.simulation.evidence import evidence
from tests.simulation.laws import broken_laws
from tests.simulation.listeners import LONGEST_AWAY_S, Listener
from tests.simulation.load import county_reports
from tests.simulation.network import Network
from tests.simulation.plan import Plan, plan_of
from tests.simulation.scheduler import SimulatedLoop
from tests.simulation.substitution import substituted
from tests.simulation.trace import Trace
from tests.simulation.troubles import start_troubles
from tests.simulation.world import World

LISTENING = ("ccr", "adv", "le", "jail", "pros", "prob")
"""Agencies that may have a subscriber; the first always has one."""
AFTERMATH_S = 8 * 86_400.0
"""After the last history has begun, faults go on for this long."""
SETTLE_S = 40 * 86_400.0
"""How long it may take, once nothing goes wrong any more, until everybody has done and heard everything."""
LOOK_S = 300.0
CALM_EVERY = 4
"""Every so many seeds, all is done once more with nothing going wrong, and compared."""
YEAR_S = 365.25 * 86_400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave."""

    seed: int
    years: float
    """Simulated."""
    events: int
    """On the log in the end."""
    alerts: int
    """Heard, of all subscribers."""
    starts: int
    faults: dict[str, int]
    violations: tuple[str, ...]
    digest: str
    """Of everything that happened and of what was stored; the same seed gives the same."""
    newest: tuple[str, ...]
    """The newest lines of the trace, when a law was broken."""


@cache
def policies() -> PolicyBook:
    """The packaged policies, loaded once in a process."""
    return load_policies()


def simulated(seed: int, *, plan: Plan | None = None, said: Callable[[str], None] | None = None) -> Outcome:
    """Run a seed. `said` is told every line of its trace."""
    random = Random(seed)
    loop, disks = SimulatedLoop(Random(random.random())), Disks(Random(random.random()))
    trace = Trace(loop.time, said)
    plan = plan or plan_of(random)
    with _quiet(plan), substituted(loop, disks, Random(random.random()), policies()):
        world = World(
            seed=seed,
            plan=plan,
            loop=loop,
            clock=SimulatedClock(loop),
            disks=disks,
            trace=trace,
            books=Books(trace),
            random=random,
        )
        run = _Run(world)
        try:
            trace.tell(repr(plan))
            loop.run_until_complete(run.play())
        except Exception as error:  # a run that cannot go on has broken a law, whatever it was
            trace.violated(f"the run ended with {type(error).__name__}: {error}")
            if said is not None:
                said("".join(traceback.format_exception(error)))
    try:
        run.judge()
    finally:
        loop.close()
        disks.close()
    return run.outcome()


@contextmanager
def _quiet(plan: Plan) -> Iterator[None]:
    """No collection of garbage at moments the seed does not decide, no log lines about faults that are meant."""
    pages, database.CHECKPOINT_PAGES = database.CHECKPOINT_PAGES, plan.checkpoint_pages
    logging.disable(logging.CRITICAL)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)
        database.CHECKPOINT_PAGES = pages


class _Run:
    """The parts of one run."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.backbones = Backbones(world)
        self.listeners: list[Listener] = []
        self._events = 0
        self._at_rest_at = world.clock.now()
        """Since when nothing was to be done any more. After it the backbone ends, and time goes on without it."""

    async def play(self) -> None:
        """Everything happens, and calms down."""
        world = self.world
        network = Network(world, self.backbones)
        running = world.loop.create_task(self.backbones.run(), name="backbones")
        hearing = self._begin_listening(network)
        reports = county_reports(world.seed, world.plan, world.random)
        start_adapters(world, network, reports)
        start_troubles(world, self.backbones)
        world.begin(coordinate(world, network), "coordinator")
        await self._while_well(running, (world.plan.days * 86_400.0) + AFTERMATH_S)
        world.trace.tell("from now on nothing goes wrong")
        world.calm = True
        world.end("trouble")
        self.backbones.calm()
        world.clock.put_right()
        await self._settled(running)
        for listener in self.listeners:
            listener.over = True
        self.backbones.over = True
        assert self.backbones.current is not None
        self.backbones.current.stop()
        await running
        await asyncio.gather(*hearing)
        world.raise_failures()

    def judge(self) -> None:
        """Hold what is left against the laws."""
        world = self.world
        for context in world.loop.broken:
            world.trace.violated(f"nobody waited for {context.get('exception') or context['message']!r}")
        if world.trace.violations and not self.backbones.over:
            return
        found = evidence(self.backbones.last.disk.directory, policies())
        self._events = len(found.log)
        for law in broken_laws(found, world.books, self.listeners, self._at_rest_at, world.random):
            world.trace.violated(law)
        if world.seed % CALM_EVERY == 0 and not world.trace.violations:
            for difference in same_when_calm(found, world.books):
                world.trace.violated(difference)
        for event in found.log:
            world.trace.tell(f"log {event.position} {event.id} {event.case_id} {sorted(event.record.items())}")

    def outcome(self) -> Outcome:
        """What it gave."""
        trace = self.world.trace
        return Outcome(
            seed=self.world.seed,
            years=self.world.loop.time() / YEAR_S,
            events=self._events,
            alerts=sum(len(listener.heard) for listener in self.listeners),
            starts=self.backbones.started,
            faults=dict(sorted(trace.faults.items())),
            violations=tuple(trace.violations),
            digest=trace.digest(),
            newest=tuple(trace.newest) if trace.violations else (),
        )

    def _begin_listening(self, network: Network) -> list[asyncio.Task[None]]:
        world = self.world
        agencies = [LISTENING[0], *world.random.sample(LISTENING[1:], 2)]
        for agency in agencies:
            slow = world.plan.slow_listeners and world.random.random() < 0.5
            listener = Listener(world, self.backbones, agency, slow, Desk(world, network, agency).told)
            self.listeners.append(listener)
        return [world.loop.create_task(listener.run(), name="listener") for listener in self.listeners]

    async def _while_well(self, running: asyncio.Task[None], until_s: float) -> None:
        await asyncio.wait([running], timeout=until_s)
        if running.done():
            await running

    async def _settled(self, running: asyncio.Task[None]) -> None:
        """Until everyone has an answer, every deadline that has passed has fired and every alert was heard."""
        world = self.world
        give_up_s = world.loop.time() + SETTLE_S
        calm_at: tuple[int, int] | None = None
        await self._while_well(running, LONGEST_AWAY_S)  # whoever went away before it was calm is back by then
        while world.loop.time() < give_up_s:
            await self._while_well(running, LOOK_S)
            world.raise_failures()
            now = await self._standing()
            if now is not None and now == calm_at:
                return
            calm_at, self._at_rest_at = now, world.clock.now()
        world.trace.violated(f"it does not come to rest: {world.doing() or 'alerts are not heard'}")

    async def _standing(self) -> tuple[int, int] | None:
        """(log, outbox) when nobody waits for anything; None otherwise."""
        process = self.backbones.current
        if self.world.busy or process is None or process.serving is None:
            return None
        backbone = process.serving.backbone
        log, outbox = await backbone.log.read(0, 10_000), await backbone.alerts.last_seq()
        if self.listeners[0].newest != outbox:
            return None
        return len(log), outbox
