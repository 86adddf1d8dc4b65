"""Several worker processes of one service under one parent.

The parent forwards a stop to all and waits for them. A worker that ends by itself is told of and started again after a
pause that grows: its partitions are another's meanwhile. Asked to (SIGHUP), it replaces the workers one after another:
the successor has loaded everything before its predecessor is stopped, and meanwhile the others, which follow what it
does, have its partitions: none of them waits for a program to start.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

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
PREPARE_PATIENCE_S = 120.0
"""How long a successor may take to load, and then to be ready, before the replacing is given up."""


@dataclass(slots=True)
class _Child:
    process: Process
    prepared: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Fleet:
    """Worker processes 0, 1, … by number."""

    def __init__(self, command: Callable[[int], Sequence[str]], count: int, tell: Callable[[str], None]) -> None:
        """`command`: the command line of a worker; `tell`: takes sentences for whoever operates this."""
        self._command = command
        self._count = count
        self._tell = tell
        self._children: dict[int, _Child] = {}
        self._stopping = asyncio.Event()
        self.ended_badly = 0
        """Workers that ended by themselves, or did not end when asked."""

    async def run(self, stopping: asyncio.Event, replacing: asyncio.Event) -> None:
        """Run the workers until `stopping` is set; `replacing`: replace them all, each time it is set."""
        keeping = [asyncio.create_task(self._keep(number)) for number in range(self._count)]
        replacer = asyncio.create_task(self._replace_when(replacing))
        try:
            await stopping.wait()
        finally:
            self._stopping.set()
            replacer.cancel()
            await asyncio.gather(*(self._end(child, signal.SIGTERM) for child in list(self._children.values())))
            for task in keeping:
                task.cancel()
            await asyncio.gather(replacer, *keeping, return_exceptions=True)

    async def _keep(self, number: int) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._stopping.is_set():
            child = self._children[number] = await self._started(number)
            status = await child.process.wait()
            while self._children[number] is not child:  # it was replaced
                child = self._children[number]
                pause_s = FIRST_PAUSE_S
                status = await child.process.wait()
            if self._stopping.is_set():
                return
            self.ended_badly += 1
            self._tell(f"worker {number} ended by itself (status {status}); it is started again in {pause_s:.0f} s")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _started(self, number: int) -> _Child:
        process = await asyncio.create_subprocess_exec(*self._command(number), stdout=asyncio.subprocess.PIPE)
        child = _Child(process)
        child_reader = asyncio.create_task(_listen(child), name=f"worker {number}")
        child_reader.add_done_callback(lambda task: task.cancelled() or task.exception())
        return child

    async def _replace_when(self, replacing: asyncio.Event) -> None:
        while True:
            await replacing.wait()
            replacing.clear()
            for number in range(self._count):
                if not await self._replaced(number):
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
        with suppress(ProcessLookupError):
            child.process.send_signal(number)
        try:
            async with asyncio.timeout(END_PATIENCE_S):
                status = await child.process.wait()
        except TimeoutError:
            child.process.kill()
            status = await child.process.wait()
        if status and number is not signal.SIGKILL:
            self.ended_badly += 1
            self._tell(f"a worker ended with status {status} when it was asked to stop")


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
