"""Several worker processes of one service under one parent.

The parent forwards a stop to all and waits for them. A worker that ends by itself is told of and started again after a
pause that grows: its partitions are another's meanwhile. Asked to (SIGHUP), it replaces the workers one after another:
the successor has loaded everything before its predecessor is stopped, and meanwhile the others, which follow what it
does, have its partitions: none of them waits for a program to start. A parent that is killed takes its workers with it:
it holds the other end of their standard input, and they stop when that is gone.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from services.engine.kafka.apps.settings import SHUTDOWN_S

PREPARED = "prepared"
"""Line by which a worker says that it has loaded everything and waits for its directory."""
READY = "ready"
"""Line by which a worker says that it works on its partitions."""
END_PATIENCE_S = 2 * SHUTDOWN_S
"""A worker that has not ended this long after it was asked is killed."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
"""How long the parent waits before it starts a worker again; doubled each time it ended by itself."""
GOOD_RUN_S = 60.0
"""A worker that was ready and ended only so long after its start is started again after the first pause."""
PREPARE_PATIENCE_S = 120.0
"""How long a successor may take to load, and then to be ready, before the replacing is given up."""


@dataclass(slots=True, eq=False)
class _Child:
    process: Process
    prepared: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    started_at_s: float = field(default_factory=monotonic)
    asked: bool = False
    """To end; asked twice, one that has finished and is about to go would end badly."""

    @property
    def ran_well(self) -> bool:
        return self.ready.is_set() and monotonic() - self.started_at_s > GOOD_RUN_S


class Fleet:
    """Worker processes 0, 1, … by number."""

    def __init__(self, command: Callable[[int], Sequence[str]], count: int, tell: Callable[[str], None]) -> None:
        """`command`: the command line of a worker; `tell`: takes sentences for whoever operates this."""
        self._command = command
        self._count = count
        self._tell = tell
        self._children: dict[int, _Child] = {}
        self._running: set[_Child] = set()
        """Every process that was started and is not known to have ended: a successor that loads, too."""
        self._turns = [asyncio.Lock() for _ in range(count)]
        """Of whoever starts a worker, by number: again after its end, or as the successor of another."""
        self.ended_badly = 0
        """Workers that ended by themselves, or did not end when asked."""

    async def run(self, stopping: asyncio.Event, replacing: asyncio.Event) -> None:
        """Run the workers until `stopping` is set; `replacing`: replace them all, each time it is set."""
        starting = [asyncio.create_task(self._keep(number)) for number in range(self._count)]
        starting.append(asyncio.create_task(self._replace_when(replacing)))
        try:
            await stopping.wait()
        finally:
            for task in starting:
                task.cancel()
            # Only then is nobody left who could start another.
            await asyncio.gather(*starting, return_exceptions=True)
            await asyncio.gather(*(self._end(child, signal.SIGTERM) for child in list(self._running)))

    async def _keep(self, number: int) -> None:
        pause_s = FIRST_PAUSE_S
        async with self._turns[number]:
            child = self._children[number] = await self._started(number)
        while True:
            status = await child.process.wait()
            async with self._turns[number]:
                if self._children[number] is not child:  # it was replaced
                    child, pause_s = self._children[number], FIRST_PAUSE_S
                    continue
            self._running.discard(child)
            pause_s = FIRST_PAUSE_S if child.ran_well else pause_s
            self.ended_badly += 1
            self._tell(f"worker {number} ended by itself (status {status}); it is started again in {pause_s:.0f} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            async with self._turns[number]:
                if self._children[number] is child:
                    self._children[number] = await self._started(number)
                child = self._children[number]

    async def _started(self, number: int) -> _Child:
        process = await asyncio.create_subprocess_exec(
            *self._command(number), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        child = _Child(process)
        self._running.add(child)
        child_reader = asyncio.create_task(_listen(child), name=f"worker {number}")
        child_reader.add_done_callback(lambda task: task.cancelled() or task.exception())
        return child

    async def _replace_when(self, replacing: asyncio.Event) -> None:
        while True:
            await replacing.wait()
            replacing.clear()
            for number in range(self._count):
                async with self._turns[number]:
                    replaced = await self._replaced(number)
                if not replaced:
                    break
            else:
                self._tell("every worker was replaced")

    async def _replaced(self, number: int) -> bool:
        predecessor, successor = self._children[number], await self._started(number)
        if not await _soon(successor.prepared, successor.process):
            self._tell(f"the successor of worker {number} did not come up: the workers go on as they are")
            await self._end(successor, signal.SIGKILL)
            return False
        self._children[number] = successor
        await self._end(predecessor, signal.SIGTERM)
        if not await _soon(successor.ready, successor.process):
            self._tell(f"the successor of worker {number} did not become ready: the others are not replaced")
            return False
        return True

    async def _end(self, child: _Child, number: signal.Signals) -> None:
        if child not in self._running:
            return
        if child.process.returncode is None and not child.asked:
            child.asked = True
            with suppress(ProcessLookupError):
                child.process.send_signal(number)
        try:
            async with asyncio.timeout(END_PATIENCE_S):
                status = await child.process.wait()
        except TimeoutError:
            child.process.kill()
            status = await child.process.wait()
        self._running.discard(child)
        # One that does not work yet has nothing to finish: the signal itself may end it.
        if status and (status != -number or child.ready.is_set()):
            self.ended_badly += 1
            how = "when it was asked to stop" if child.asked else "by itself"
            self._tell(f"a worker ended with status {status} {how}")


async def _listen(child: _Child) -> None:
    assert child.process.stdout is not None  # noqa: S101  # it was asked for
    async for line in child.process.stdout:
        said = line.decode("utf-8", "replace").strip()
        if said == PREPARED:
            child.prepared.set()
        elif said == READY:
            child.ready.set()


async def _soon(event: asyncio.Event, process: Process) -> bool:
    """Whether it happens before the process ends and before the patience does."""
    happening, ending = asyncio.create_task(event.wait()), asyncio.create_task(process.wait())
    try:
        await asyncio.wait({happening, ending}, timeout=PREPARE_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        return event.is_set()
    finally:
        happening.cancel()
        ending.cancel()
