"""A simulated county on a backbone of its own, whose clock is the simulation's: deadlines pass as they would.

Each step is the next of three: a report or an answer is sent, or a deadline passes. Time stands still while it is
done, so the same seed has the same outcome at any speed, given the same master key: its hashes of people break ties.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from time import perf_counter

from ccr_events.agencies import Agency
from ccr_events.core.model import Transition
from services.cli.refused import Refused
from services.cli.simulated_desks import Counters
from services.cli.simulated_tally import Tally
from services.demo.clock import ScriptClock
from services.embedded import Backbone, Settings, open_backbone
from services.portal.app import create_app
from services.portal.rate import Rate
from services.portal.server import served
from services.simulator import County, Desks, Report, reports

TOGETHER = timedelta(seconds=60)
"""Reports of one agency that are sent within so long go as one request."""
MAX_TOGETHER = 200
DECIDED_EVERY = timedelta(hours=12)
"""How often a person looks at proposed merges [P]."""
FIRE_S = 30.0
"""How long a passed deadline may take to be fired before the run is given up."""
GLIDE_S = 0.25
"""Longest time without a move of the progress bar."""
UNLIMITED = Rate(per_second=1e9, burst=1e9)


@dataclass(slots=True)
class Playing:
    """One run."""

    county: County
    seed: int
    backbone: Backbone
    clock: ScriptClock
    counters: Counters
    tally: Tally
    answering: bool
    speed: float | None
    """Simulated seconds in a real one; None: as fast as it goes."""
    passed: Callable[[datetime], None]
    """Told how far the simulation is."""
    _heard: int = 0
    _answers: list[tuple[datetime, int, Report]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _open: set[str] = field(default_factory=set)
    """Links that wait for an answer."""

    async def run(self) -> None:
        """From the first report to the last, then to the end of the county's time."""
        end = self.county.start + timedelta(days=self.county.days + self.county.tail_days)
        desks = Desks(self.backbone.policies, self.county.answering, self.county.profile, self.seed)
        sent = _together(reports(self.county, self.seed))
        group = next(sent, None)
        decides_at = self.county.start + DECIDED_EVERY
        while True:
            group_at = group[-1].at if group else end
            answer_at = self._answers[0][0] if self._answers else end
            act_at = min(group_at, answer_at, decides_at, end)
            if (due := await self.backbone.next_deadline()) is not None and due <= act_at:
                await self._until(due)
                await self._fired(due)
            else:
                await self._until(act_at)
                if act_at >= end:
                    return
                if act_at == answer_at:
                    await self._answer(heappop(self._answers)[2])
                elif group is not None and act_at == group_at:
                    await self.counters.publish(group[0].agency, group)
                    group = next(sent, None)
                else:
                    decides_at += DECIDED_EVERY
                    if self.answering:
                        await self.counters.decide()
            await self._hear(desks)

    async def _until(self, at: datetime) -> None:
        if self.speed is not None:
            while (left_s := (at - self.clock.now()).total_seconds() / self.speed) > GLIDE_S:
                await asyncio.sleep(GLIDE_S)
                self.clock.move_to(self.clock.now() + timedelta(seconds=GLIDE_S * self.speed))
                self.passed(self.clock.now())
            await asyncio.sleep(max(0.0, left_s))
        self.clock.move_to(at)
        self.passed(self.clock.now())

    async def _fired(self, due: datetime) -> None:
        begun_s = perf_counter()
        while (pending := await self.backbone.next_deadline()) is not None and pending <= due:
            if perf_counter() - begun_s > FIRE_S:
                raise Refused(f"a deadline was not fired within {FIRE_S:.0f} s: see the log of this run")
            await asyncio.sleep(0.001)

    async def _answer(self, report: Report) -> None:
        if report.event.data["link_id"] in self._open:
            await self.counters.answer(report)
        else:
            self.tally.answers["needless"] += 1

    async def _hear(self, desks: Desks) -> None:
        last = await self.backbone.alerts.last_seq()
        if last <= self._heard:
            return
        async for page in self.backbone.alerts.follow(self._heard):
            for alertable in page:
                self._told(desks, alertable.transition)
            self._heard = page[-1].seq
            if self._heard >= last:
                return

    def _told(self, desks: Desks, transition: Transition) -> None:
        self.tally.heard(transition)
        link = transition.link
        if link.state.ended:
            self._open.discard(link.id)
            return
        self._open.add(link.id)
        if self.answering:
            for report in desks.answers(transition, self.clock.now()):
                heappush(self._answers, (report.at, next(self._numbers), report))


def _together(sent: Iterator[Report]) -> Iterator[list[Report]]:
    """Groups that go as one request each: of one agency, close together, nobody else's between."""
    group: list[Report] = []
    for report in sent:
        if group and (
            report.agency != group[0].agency or report.at - group[0].at > TOGETHER or len(group) == MAX_TOGETHER
        ):
            yield group
            group = []
        group.append(report)
    if group:
        yield group


@asynccontextmanager
async def county_backbone(data: Path, start: datetime) -> AsyncIterator[tuple[Backbone, ScriptClock, str]]:
    """A new backbone whose clock stands at `start`, and its address while it is served on this machine."""
    clock = ScriptClock(start)
    async with (
        open_backbone(Settings(data=data, clock=clock)) as backbone,
        served(create_app(backbone, rate=UNLIMITED)) as (url, _),
    ):
        yield backbone, clock, url


async def simulated(
    county: County,
    seed: int,
    data: Path,
    *,
    answering: bool,
    speed: float | None,
    passed: Callable[[datetime], None],
) -> Tally:
    """Run a county on a backbone of its own in `data`, an empty directory. Raises `Refused` when it cannot go on."""
    tally = Tally()
    async with county_backbone(data, county.start) as (backbone, clock, url):
        keys = {agency.value: await backbone.issue_key(agency, "simulation") for agency in Agency}
        with Counters(url, keys, tally) as counters:
            playing = Playing(county, seed, backbone, clock, counters, tally, answering, speed, passed)
            started_s = perf_counter()
            await playing.run()
            tally.seconds = perf_counter() - started_s
    return tally
