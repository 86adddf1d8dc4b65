"""What everyone in a run shares: the loop, the time, the randomness of the seed, the trace and the books."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.simulation.books import Books
from tests.simulation.clock import SimulatedClock
from tests.simulation.disk import Disks
from tests.simulation.plan import Plan
from tests.simulation.scheduler import SimulatedLoop
from tests.simulation.trace import Trace


@dataclass
class World:
    """One run."""

    seed: int
    plan: Plan
    loop: SimulatedLoop
    clock: SimulatedClock
    disks: Disks
    trace: Trace
    books: Books
    random: Random
    """For everything outside the process under test."""
    calm: bool = False
    """From now on nothing goes wrong any more."""
    _tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def chance(self, share: float) -> bool:
        """Whether something of that share happens now; never once it is calm."""
        return not self.calm and share > 0 and self.random.random() < share

    def begin(self, doing: Awaitable[Any], name: str) -> asyncio.Task[Any]:
        """Somebody outside the process under test does something; what goes wrong breaks the run."""
        task: asyncio.Task[Any] = self.loop.create_task(doing, name=name)  # type: ignore[arg-type]
        self._tasks.append(task)
        return task

    def end(self, name: str) -> None:
        """Whoever is called so stops."""
        for task in self._tasks:
            if task.get_name() == name:
                task.cancel()

    def raise_failures(self) -> None:
        """Raise what went wrong outside the process under test."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def doing(self) -> list[str]:
        """What somebody still does, for a message."""
        return sorted(task.get_name() for task in self._tasks if not task.done())

    @property
    def busy(self) -> bool:
        """Whether anybody still does something."""
        return any(not task.done() for task in self._tasks)
