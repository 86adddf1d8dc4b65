"""The process under test: the whole backbone as `services.embedded` puts it together, its crashes and its restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from services.alerts.receipts import Receipts
from services.alerts.stream import AlertHub
from services.embedded import Backbone, Settings, open_backbone
from services.engine.transaction import StorageFailed
from services.sealing.keys import KeyStoreError
from tests.simulation.disk import Disk
from tests.simulation.torn import Files
from tests.simulation.world import World

T = TypeVar("T")

SMALL_BUFFER = 3
"""Alerts that wait for a subscriber, in plans with small buffers."""
BUFFER = 1_000
FINISH_S = 20.0
"""How long a process that is stopped waits for requests it is answering."""
LONGEST_DOWN_S = 86_400.0
"""A crashed process is started again after this at most."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What can be called while the process is up."""

    backbone: Backbone
    hub: AlertHub
    receipts: Receipts


class Process:
    """From one start to its end."""

    def __init__(self, world: World, disk: Disk) -> None:
        self._world = world
        self.disk = disk
        self.alive = True
        self.serving: Serving | None = None
        self.gone: asyncio.Future[None] = world.loop.create_future()
        """Done when it has crashed or stopped."""
        self.left: Files | None = None
        """What its disk held when it crashed."""
        self.refusal: str | None = None
        """Why it could not start."""
        self._stop = asyncio.Event()
        self._handlers: dict[asyncio.Task[Any], None] = {}
        self.task = world.loop.create_task(self._run(), name="process")

    def handle(self, request: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Answer a request; the task ends with the process."""
        task = self._world.loop.create_task(request, name="request")
        self._handlers[task] = None
        task.add_done_callback(self._handled)
        return task

    def stop(self) -> None:
        """Ask it to stop in good order."""
        self._stop.set()

    def crash(self, how: str, left: Files) -> None:
        """From this instant nothing it does matters; `left` is what its disk holds."""
        if not self.alive:
            return
        self._world.trace.fault(how, "while starting" if self.serving is None else "")
        self.alive, self.left, self.serving = False, left, None
        self.disk.refusing = None
        self._end()
        for task in list(self._handlers):
            task.cancel()
        if not self._stop.is_set():  # else it is ending already
            self.task.cancel()

    async def ended(self) -> None:
        """Wait until nothing of it runs any more."""
        await asyncio.wait([self.task, *self._handlers])

    def _handled(self, task: asyncio.Task[Any]) -> None:
        del self._handlers[task]
        if not task.cancelled():
            task.exception()  # its caller may be gone

    def _end(self) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    async def _run(self) -> None:
        world = self._world
        settings = Settings(data=self.disk.directory, clock=world.clock, release_is_live=lambda _, at: True)
        try:
            async with open_backbone(settings) as backbone:
                await self._serve(backbone)
        except (StorageFailed, KeyStoreError) as error:
            if self.alive:
                self.refusal = str(error)
        except asyncio.CancelledError:
            if self.alive:
                raise
        finally:
            self.alive = False
            self._end()

    async def _serve(self, backbone: Backbone) -> None:
        buffered = SMALL_BUFFER if self._world.plan.small_buffers else BUFFER
        hub = AlertHub(backbone.alerts, backbone.policies, audience=backbone.metrics, max_buffered=buffered)
        receipts = Receipts(backbone.publisher, backbone.log, backbone.clock)
        await hub.start()
        receipts.start()
        try:
            if self.alive:
                self.serving = Serving(backbone, hub, receipts)
            await self._stop.wait()
            self.serving = None
            hub.close()
            if self._handlers:
                await asyncio.wait(list(self._handlers), timeout=FINISH_S)
        finally:
            for task in list(self._handlers):
                task.cancel()
            await hub.stop()
            await receipts.stop()


class Backbones:
    """One process after the other, each on the disk the one before it left."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.current: Process | None = None
        self.started = 0
        self.over = False
        self._ghosts: list[Process] = []
        world.loop.step_taken = self._step_taken
        self.crash_in_steps: int | None = None
        """The process is killed after so many more steps of the loop."""
        self.with_power = False
        """Whether that kill takes the power with it."""

    async def run(self) -> None:
        """Start it again whenever it has ended, until `over`; nobody else helps it."""
        left: Files = {}
        while not self.over:
            process = self.current = self._started(left)
            await asyncio.wait([process.gone])
            if process.left is not None:
                left = process.left
                self._ghosts.append(process)
                await asyncio.sleep(self._world.random.random() ** 6 * (0 if self._world.calm else LONGEST_DOWN_S))
                continue
            await asyncio.wait([process.task])
            if (error := process.task.exception()) is not None:
                self._world.trace.violated(f"the process ended by itself: {type(error).__name__}: {error}")
                raise error
            if process.refusal is not None:
                self._refused(process)
            left = process.disk.files()
            self._ghosts.append(process)
            await asyncio.sleep(1.0)
        for process in self._ghosts:
            await process.ended()

    def arm_power_cut(self, commits: int) -> None:
        """The power goes during the commit after so many more."""
        if self.current is not None:
            self.current.disk.cut_at_commit = self.current.disk.commits + commits

    def calm(self) -> None:
        """No crash any more, and a disk that obeys."""
        self.crash_in_steps = None
        if self.current is not None:
            self.current.disk.cut_at_commit = self.current.disk.refusing = None

    def bury(self) -> None:
        """Delete the disks of all but the last process. Call when the loop has ended."""
        for process in self._ghosts[:-1]:
            process.disk.abandon()

    @property
    def last(self) -> Process:
        """The newest that has ended."""
        return self._ghosts[-1]

    def _started(self, left: Files) -> Process:
        self.started += 1
        self._world.trace.tell(f"start {self.started}")
        disk = self._world.disks.new(left)
        process = Process(self._world, disk)
        disk.power_cut = process.crash
        disk.counted = self._world.trace.fault
        return process

    def _refused(self, process: Process) -> None:
        """A start may fail only while the disk refuses."""
        if process.disk.refusing is None:
            self._world.trace.violated(f"it does not start: {process.refusal}")
            raise StorageFailed(process.refusal)

    def _step_taken(self) -> None:
        if self.crash_in_steps is None or self.current is None or not self.current.alive:
            return
        self.crash_in_steps -= 1
        if self.crash_in_steps <= 0:
            self.crash_in_steps = None
            files = self.current.disk.files()
            if self.with_power:
                self.current.crash("power cut", self.current.disk.after_power_cut(files))
            else:
                self.current.crash("killed", files)
