"""Whether an event costs the same however much there is: stored events, open cases, pending deadlines.

Both ends are measured in turns within one run and compared by the processor time of this process, which other programs
on the machine disturb less than the clock on the wall.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from statistics import median
from time import process_time

from bench.county import ROUNDS, records, rounds
from bench.engine import BATCH, BATCH_CALLERS, Stretch, opened
from bench.figure import Asked, Figure
from bench.quiet import Quiet
from ccr_events.core.ids import derived
from ccr_events.core.model import Link, LinkState, Step
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.recorder import Casebook
from services.demo.acts import acts
from services.demo.clock import ScriptClock
from services.demo.scenario import load_week
from services.engine.sqlite import SqliteEngine
from services.engine.transaction import NewRecord, Transaction
from services.timer.timer import Timer

PART = "growth"
RATIO_GOAL = 1.2
TURNS = 7
"""How often each end is measured; the middle one counts."""
LINKS_PUT = 5_000
"""Links in one write while deadlines are filled in."""
STEPS = 4
"""Deadlines of one link."""
CASE_TURNS = 5
"""Turns with cases are short, so there are so many times as many."""
FILL = 10_000
"""Records in memory while a log is filled."""
TICKS = 50
"""Looks of the timer in one turn."""
SETTLING_S = 0.5
"""Until the timer waits."""
START = acts(load_week())[0].at
"""What the timer's clock shows."""
IDLE_S = 1.0
"""How long the timer is left alone in one turn."""
IDLE_GOAL_MS = 1.0
"""Processor time an idle second may cost more with all the deadlines: a thousandth."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How far it grows."""

    stored: tuple[int, int]
    cases: tuple[int, int]
    deadlines: int
    turn: int
    """Events in one turn."""


SMALL = Sizes((10_000, 60_000), (100, 5_000), 50_000, 4_000)
FULL = Sizes((10_000, 1_000_000), (100, 100_000), 1_000_000, 10_000)


def measure(asked: Asked) -> list[Figure]:
    """All three."""
    return asyncio.run(grown(asked, FULL if asked.full else SMALL))


async def grown(asked: Asked, sizes: Sizes) -> list[Figure]:
    """All three, to these sizes."""
    policies = load_policies()
    return [
        await _stored(asked, sizes, policies),
        await _cases(asked, sizes, policies),
        *await _deadlines(asked, sizes),
    ]


async def _stored(asked: Asked, sizes: Sizes, policies: PolicyBook) -> Figure:
    append = Casebook(policies, Quiet()).append
    async with AsyncExitStack() as stack:
        ends: list[tuple[Stretch, Iterator[NewRecord]]] = []
        for size in sizes.stored:
            stretch, source = Stretch(await stack.enter_async_context(opened(asked.data)), append), records(policies)
            await _fill(stretch, islice(source, size))
            ends.append((stretch, source))
        spent_s: list[float] = []
        for stretch, source in ends * TURNS:
            spent_s.append(await _turn(stretch, list(islice(source, sizes.turn)), BATCH))
    return _ratio("stored events", sizes.stored, spent_s)


async def _cases(asked: Asked, sizes: Sizes, policies: PolicyBook) -> Figure:
    """At either end each measured event is the last of as many of its case, so that the cases are alike."""
    append = Casebook(policies, Quiet()).append
    few, many = sizes.cases
    async with AsyncExitStack() as stack:
        small, large = [Stretch(await stack.enter_async_context(opened(asked.data)), append) for _ in range(2)]
        crowd = await _all_but_last(large, rounds(policies, many))
        spent_s: list[float] = []
        for turn in range(TURNS * CASE_TURNS):
            fresh = await _all_but_last(small, rounds(policies, few, era=f"{turn} "))
            for stretch, last in ((small, fresh), (large, crowd)):
                spent_s.append(await _turn(stretch, list(islice(last, few)), few))
    return _ratio("open cases", sizes.cases, spent_s)


async def _all_but_last(stretch: Stretch, of_all: Iterator[Iterator[NewRecord]]) -> Iterator[NewRecord]:
    for round_ in islice(of_all, ROUNDS - 1):
        await _fill(stretch, round_)
    return next(of_all)


async def _fill(stretch: Stretch, coming: Iterator[NewRecord]) -> None:
    while found := list(islice(coming, FILL)):
        await stretch.append(found, BATCH, BATCH_CALLERS)


async def _turn(stretch: Stretch, found: Sequence[NewRecord], batch: int) -> float:
    """Processor seconds an event."""
    started_s = process_time()
    await stretch.append(found, batch, BATCH_CALLERS)
    return (process_time() - started_s) / len(found)


def _ratio(what: str, sizes: tuple[int, int], spent_s: Sequence[float]) -> Figure:
    """`spent_s` at the small end and at the large one, in turns."""
    few, many = median(spent_s[0::2]) * 1e6, median(spent_s[1::2]) * 1e6
    title = f"an event's cost from {sizes[0]:,} to {sizes[1]:,} {what}"
    extra = {f"µs/event at {sizes[0]:,}": round(few, 1), f"µs/event at {sizes[1]:,}": round(many, 1)}
    return Figure(PART, title, round(many / few, 3), "times", RATIO_GOAL, lower_is_better=True, extra=extra)


async def _deadlines(asked: Asked, sizes: Sizes) -> list[Figure]:
    """What a second costs in which nothing is due, and a tick of the timer, with no deadline and with many."""
    async with AsyncExitStack() as stack:
        ends = [Idle(await stack.enter_async_context(opened(asked.data))) for _ in range(2)]
        await ends[1].put(sizes.deadlines)
        for idle in ends:
            stack.push_async_callback(idle.stop)
            await idle.start()
        idle_s, tick_s = [], []
        for idle in ends * TURNS:
            idle_s.append(await idle.second())
            tick_s.append(await idle.tick())
    none, many = median(idle_s[0::2]) * 1e3, median(idle_s[1::2]) * 1e3
    what = f"what {sizes.deadlines:,} pending deadlines add to an idle second"
    extra = {"ms with none": round(none, 3), "ms with all": round(many, 3)}
    added = Figure(PART, what, round(max(0.0, many - none), 3), "ms", IDLE_GOAL_MS, lower_is_better=True, extra=extra)
    return [added, _ratio_of_ticks(sizes, median(tick_s[0::2]) * 1e6, median(tick_s[1::2]) * 1e6)]


def _ratio_of_ticks(sizes: Sizes, none: float, many: float) -> Figure:
    extra = {"µs with none": round(none, 1), "µs with all": round(many, 1)}
    what = f"a look for deadlines that are due, from 0 to {sizes.deadlines:,} pending"
    return Figure(PART, what, round(many / none, 3), "times", None, lower_is_better=True, extra=extra)


class Idle:
    """An engine and its timer, whose clock stands before every deadline."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._timer = Timer(
            engine.writer, _nothing_is_due, ScriptClock(START), lambda _: "", engine.deadlines, lambda _: 0
        )
        self._running: asyncio.Task[None] | None = None

    async def put(self, deadlines: int) -> None:
        """Open links with so many deadlines."""
        for first in range(0, deadlines // STEPS, LINKS_PUT):
            links = [_link(number) for number in range(first, min(first + LINKS_PUT, deadlines // STEPS))]
            await self._engine.writer.write(lambda tx, links=links: tx.links.put("bench", links))  # type: ignore[misc]

    async def start(self) -> None:
        """Let the timer run."""
        self._running = asyncio.create_task(self._timer.run())
        await asyncio.sleep(SETTLING_S)

    async def stop(self) -> None:
        """End it."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def second(self) -> float:
        """Processor seconds of an idle second."""
        started_s = process_time()
        await asyncio.sleep(IDLE_S)
        return (process_time() - started_s) / IDLE_S

    async def tick(self) -> float:
        """Processor seconds of a look at what is due and what comes next."""
        started_s = process_time()
        for _ in range(TICKS):
            if await self._timer.catch_up():
                raise RuntimeError("a deadline fired that is not due")
            await self._engine.writer.read(lambda tx: tx.deadlines.next_at())
        return (process_time() - started_s) / TICKS


def _nothing_is_due(_: Transaction, __: NewRecord) -> int:
    raise RuntimeError("a deadline fired that is not due")


def _link(number: int) -> Link:
    at = START + timedelta(days=1, seconds=number)
    return Link(
        id=derived("bench link", str(number)),
        case_id="bench",
        rule="bench",
        edition="bench",
        trigger_id=derived("bench trigger", str(number)),
        agency="adv",
        role="on call",
        urgency="immediate",
        opened_at=START,
        due_at=at,
        lag_s=0,
        state=LinkState.OPENED,
        overdue=False,
        steps=tuple(Step(step, at + timedelta(hours=step), "adv", "on call") for step in range(STEPS)),
    )
