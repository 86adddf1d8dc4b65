"""Events per second through writer and casebook, durable: log, facts, links and outbox in one transaction, fsynced.

In batches, where the goal is; one at a time; from many at once. And the engine alone, where what folding gives was
worked out beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench.county import records
from bench.figure import Asked, Figure
from bench.folded import Folded
from bench.quiet import Quiet
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.recorder import Casebook
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import Appender, NewRecord, Transaction
from services.portal.long_running import collected_rarely

PART = "engine"
BATCH_GOAL = 15_000
BATCH = 1_000
BATCH_CALLERS = 2
"""The next batch waits while one is written, as it does behind any busy door."""
ONE_BY_ONE = 1_000
AT_ONCE = 10_000
ALONE = 20_000
"""Events of the figure without folding."""


def measure(asked: Asked) -> list[Figure]:
    """Fill a log with `asked.events` in batches, and measure on the way and at its end."""
    return asyncio.run(_measured(asked))


async def _measured(asked: Asked) -> list[Figure]:
    policies = load_policies()
    casebook = Casebook(policies, Quiet())
    source = records(policies)
    async with opened(asked.data) as engine:
        stretch = Stretch(engine, casebook.append)
        figures = [
            await stretch.figure("batches of 1,000", list(islice(source, part)), BATCH, BATCH_CALLERS, BATCH_GOAL)
            for part in _parts(asked.events)
        ]
        figures.append(await stretch.figure("one at a time", list(islice(source, ONE_BY_ONE)), 1, 1))
        figures.append(await stretch.figure("64 at once", list(islice(source, AT_ONCE)), 1, 64))
        figures.append(await stretch.figure("8 batches of 100 at once", list(islice(source, AT_ONCE)), 100, 8))
    return [*figures, await _alone(asked, policies)]


async def _alone(asked: Asked, policies: PolicyBook) -> Figure:
    found = list(islice(records(policies), ALONE))
    folded = Folded(found, policies)
    async with opened(asked.data) as engine:
        return await Stretch(engine, folded.append).figure(
            "the engine alone, batches of 1,000", found, BATCH, BATCH_CALLERS
        )


@asynccontextmanager
async def opened(data: Path | None) -> AsyncIterator[SqliteEngine]:
    """An engine in a directory of its own, removed afterwards."""
    with TemporaryDirectory(prefix="ccr-bench-", dir=data) as directory:
        async with open_engine(Path(directory)) as engine:
            yield engine


class Stretch:
    """Appends one stretch of events after the other to one engine."""

    def __init__(self, engine: SqliteEngine, append: Appender) -> None:
        self._engine = engine
        self._append = append
        self._held = 0

    async def figure(
        self, what: str, found: Sequence[NewRecord], batch: int, callers: int, goal: float | None = None
    ) -> Figure:
        """Append all of `found`, and say how fast that was."""
        taken_s: list[float] = []
        started, cpu_s = perf_counter(), process_time()
        await self.append(found, batch, callers, taken_s.append)
        took_s, cpu_s = perf_counter() - started, process_time() - cpu_s
        cuts = quantiles(taken_s, n=100) if len(taken_s) > 1 else taken_s * 99
        return Figure(
            PART,
            what,
            round(len(found) / took_s),
            "events/s",
            goal,
            extra={
                "CPU µs/event": round(cpu_s / len(found) * 1e6, 1),
                "p50 ms": round(cuts[49] * 1e3, 2),
                "p99 ms": round(cuts[98] * 1e3, 2),
                "events": len(found),
                "log holds": self._held,
            },
        )

    async def append(
        self, found: Sequence[NewRecord], batch: int, callers: int, took: Callable[[float], None] = lambda _: None
    ) -> None:
        """Append all of `found`; `took` is told the seconds of each batch."""
        batches = iter([found[first : first + batch] for first in range(0, len(found), batch)])
        with collected_rarely():  # as the service is; the records here would be walked through again and again
            await asyncio.gather(*(self._publish(batches, took) for _ in range(callers)))
        self._held += len(found)

    async def _publish(self, batches: Iterator[Sequence[NewRecord]], took: Callable[[float], None]) -> None:
        for batch in batches:
            started = perf_counter()
            await self._engine.writer.write(lambda tx, batch=batch: self._all(tx, batch))  # type: ignore[misc]
            took(perf_counter() - started)

    def _all(self, tx: Transaction, batch: Sequence[NewRecord]) -> None:
        tx.events.expect([record.fact.id for record in batch])
        for record in batch:
            if tx.events.find(record.fact.id) is None:
                self._append(tx, record)


def _parts(events: int) -> list[int]:
    """Ever longer stretches of the log, to see whether its length matters."""
    parts, left = [], events
    size = 10_000
    while left > 0:
        parts.append(min(size, left))
        left -= size
        size *= 3
    return parts
