"""Events per second through writer and casebook, durable: in batches, one at a time, and from many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.county import records
from ccr_events.policy import load_policies
from services.casebook.recorder import Casebook
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import NewRecord, Transaction


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement."""

    what: str
    events: int
    events_per_s: int
    p50_ms: float
    """Half of the writes were durable within this time."""
    p99_ms: float
    log_holds: int
    """Events on the log afterwards."""


class _Quiet:
    """An observer that costs nothing."""

    def accepted(self, event_type: str, agency: str) -> None: ...
    def refused(self, agency: str, status: str) -> None: ...
    def published(self, seconds: float) -> None: ...
    def folded(self, seconds: float) -> None: ...
    def sealed_read(self, label: str, agency: str, outcome: str) -> None: ...
    def alerted(self, seconds: float) -> None: ...


async def measure(events: int, directory: Path | None) -> list[Figure]:
    """Fill a log with `events` in batches, and measure on the way and at its end."""
    with TemporaryDirectory(prefix="ccr-bench-") as temporary:
        async with open_engine(directory or Path(temporary)) as engine:
            return await _Bench(engine).run(events)


class _Bench:
    def __init__(self, engine: SqliteEngine) -> None:
        policies = load_policies()
        self._engine = engine
        self._casebook = Casebook(policies, _Quiet())
        self._source = records(policies)
        self._held = 0

    async def run(self, events: int) -> list[Figure]:
        figures = [await self._timed("batches of 1,000", part, 1_000, 1) for part in _parts(events)]
        figures.append(await self._timed("one at a time", 1_000, 1, 1))
        figures.append(await self._timed("64 at once", 10_000, 1, 64))
        figures.append(await self._timed("8 batches of 100 at once", 10_000, 100, 8))
        return figures

    async def _timed(self, what: str, events: int, batch: int, callers: int) -> Figure:
        batches = iter(_batches(list(islice(self._source, events)), batch))
        taken_s: list[float] = []
        started = perf_counter()
        await asyncio.gather(*(self._publish(batches, taken_s) for _ in range(callers)))
        rate = events / (perf_counter() - started)
        self._held += events
        cuts = quantiles(taken_s, n=100) if len(taken_s) > 1 else taken_s * 99
        return Figure(what, events, round(rate), round(cuts[49] * 1e3, 2), round(cuts[98] * 1e3, 2), self._held)

    async def _publish(self, batches: Iterator[Sequence[NewRecord]], taken_s: list[float]) -> None:
        for batch in batches:
            started = perf_counter()
            await self._engine.writer.write(lambda tx, batch=batch: self._append(tx, batch))
            taken_s.append(perf_counter() - started)

    def _append(self, tx: Transaction, batch: Sequence[NewRecord]) -> None:
        for record in batch:
            if tx.events.find(record.fact.id) is None:
                self._casebook.append(tx, record)


def _parts(events: int) -> list[int]:
    """Ever longer stretches of the log, to see whether its length matters."""
    parts, left = [], events
    size = 10_000
    while left > 0:
        parts.append(min(size, left))
        left -= size
        size *= 3
    return parts


def _batches(found: list[NewRecord], size: int) -> list[list[NewRecord]]:
    return [found[i : i + size] for i in range(0, len(found), size)]


def as_rows(figures: list[Figure]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(figure) for figure in figures]
