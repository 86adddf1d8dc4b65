"""A simulated county on a service that runs: its clock is the wall, so simulated time is fitted to it.

At `real` speed every report comes when it would. At N× the times at which things happen are drawn together N times;
times inside the data are not, and deadlines pass by the wall clock, so hardly any is missed. As fast as it goes,
everything has happened in the past already: reports are late, and links may be due when they open.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count, islice
from pathlib import Path
from time import perf_counter
from typing import Any

from ccr_events.core.model import Link, LinkState, Transition, TransitionKind
from ccr_events.envelope.attributes import read_instant
from ccr_events.policy import PolicyBook
from services.cli.connection import none_runs
from services.cli.local import read_server
from services.cli.refused import Refused
from services.cli.simulated_desks import Counters
from services.cli.simulated_tally import Tally
from services.demo.listener import Heard, Listener
from services.simulator import County, Desks, Report, reports

CHUNK = 400
"""Reports taken together as fast as it goes: each agency sends its part, all agencies at once."""
IDLE_S = 0.1
MAX_WAITING = 100_000
"""Answers that may wait to be given; further alerts stay unanswered."""
SETTLE_S = 3.0
"""How long after the last report answers are still given."""
LINGER_S = 120.0
"""How long, as fast as it goes, the rest of the answers may take."""


@dataclass(slots=True)
class Live:
    """One run."""

    county: County
    seed: int
    counters: Counters
    tally: Tally
    desks: Desks | None
    """None: nobody answers."""
    speed: float | None
    passed: Callable[[datetime], None]
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    _answers: list[tuple[datetime, int, Report]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _open: set[str] = field(default_factory=set)
    """Links that wait for an answer."""
    _all_said: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, heard: Heard) -> None:
        """Take in an alert of the stream."""
        transition = transition_of(heard.body)
        self.tally.heard(transition)
        link = transition.link
        if link.state.ended:
            self._open.discard(link.id)
            return
        if self.desks is None or len(self._answers) >= MAX_WAITING:
            return
        self._open.add(link.id)
        now = datetime.now(UTC)
        for report in self.desks.answers(transition, now):
            at = now if self.speed is None else now + (report.at - now) / self.speed
            self._all_said.clear()
            heappush(self._answers, (at, next(self._numbers), report))

    async def run(self) -> None:
        """Send everything; answer what is due in the meantime and for a moment after."""
        sent = reports(self.county, self.seed)
        answering = asyncio.create_task(self._answering())
        try:
            if self.speed is None:
                await self._at_once(sent)
            else:
                await self._in_time(sent, self.speed)
            await asyncio.sleep(SETTLE_S)
            if self.speed is None:  # everything is due by now: wait for it, but not for ever
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._all_said.wait(), LINGER_S)
            if self.desks is not None:
                await self.counters.decide()
        finally:
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
        self.tally.answers["not_due_yet"] += len(self._answers)

    async def _at_once(self, sent: Iterator[Report]) -> None:
        while chunk := list(islice(sent, CHUNK)):
            of_agency: dict[str, list[Report]] = defaultdict(list)
            for report in chunk:
                of_agency[report.agency].append(report)
            await asyncio.gather(*(self.counters.publish(agency, own) for agency, own in of_agency.items()))
            self.passed(chunk[-1].at)

    async def _in_time(self, sent: Iterator[Report], speed: float) -> None:
        for report in sent:
            due_at = self.fitted(report.at, speed)
            while (left_s := (due_at - datetime.now(UTC)).total_seconds()) > 0:
                await asyncio.sleep(min(left_s, IDLE_S))
                self.passed(min(report.at, self.county.start + (datetime.now(UTC) - self.begun) * speed))
            event = replace(report.event, occurred_at=self.fitted(report.event.occurred_at, speed))
            await self.counters.publish(report.agency, [replace(report, event=event)])

    def fitted(self, at: datetime, speed: float) -> datetime:
        """A simulated instant on the wall clock."""
        return self.begun + (at - self.county.start) / speed

    async def _answering(self) -> None:
        while True:
            while self._answers and self._answers[0][0] <= datetime.now(UTC):
                event = (report := heappop(self._answers)[2]).event
                if event.data["link_id"] not in self._open:
                    self.tally.answers["needless"] += 1
                elif event.case_id in self.counters.cases:  # nobody answers for people who are not invented
                    await self.counters.answer(report)
            if not self._answers:
                self._all_said.set()
            await asyncio.sleep(IDLE_S)


def transition_of(body: Mapping[str, Any]) -> Transition:
    """A link transition from the CloudEvent on the alert stream, as far as an addressee is told of it."""
    data = body["data"]
    link = data["link"]
    return Transition(
        id=body["id"],
        kind=TransitionKind(body["type"].removeprefix("link.")),
        step=data["step"],
        cause=body["causationid"],
        at=read_instant(body["time"]),
        link=Link(
            id=link["id"],
            case_id=body["caseid"],
            rule=link["rule"],
            edition=body["policyversion"],
            trigger_id=link["trigger_id"],
            agency=link["agency"],
            role=link["role"],
            urgency=link["urgency"],
            opened_at=read_instant(link["opened_at"]),
            due_at=read_instant(link["due_at"]) if "due_at" in link else None,
            lag_s=link["lag_s"],
            state=LinkState(link["state"]),
            overdue=link["overdue"],
            steps=(),
            acknowledged_at=read_instant(link["acknowledged_at"]) if "acknowledged_at" in link else None,
        ),
        to_agency=data["to_agency"],
        to_role=data["to_role"],
    )


async def lived(
    county: County,
    seed: int,
    url: str,
    keys: Mapping[str, str],
    policies: PolicyBook,
    *,
    answering: bool,
    speed: float | None,
    passed: Callable[[datetime], None],
) -> Tally:
    """Run a county against the service at `url` with each agency's key. Raises `Refused` when it cannot go on."""
    tally = Tally()
    desks = Desks(policies, county.answering, county.profile, seed) if answering else None
    with Counters(url, keys, tally) as counters:
        live = Live(county, seed, counters, tally, desks, speed, passed)
        listener = Listener(url, keys["ccr"], live.heard, begin="now")
        listening = asyncio.create_task(listener.follow())
        connected = asyncio.create_task(listener.connected.wait())
        try:
            await asyncio.wait({listening, connected}, return_when=asyncio.FIRST_COMPLETED)
            if not listening.done():
                started_s = perf_counter()
                await live.run()
                tally.seconds = perf_counter() - started_s
            if listening.done():
                listening.result()  # the stream is lost, and what it said since
        finally:
            connected.cancel()
            listening.cancel()
            await asyncio.gather(connected, listening, return_exceptions=True)
    return tally


def service_at(data: Path, url: str | None) -> str:
    """Address of the service that runs on a data directory; raises `Refused`. Its keys never go to another one."""
    server = read_server(data)
    if server is None:
        raise Refused(none_runs(data))
    if url is not None and url.rstrip("/") != server.url.rstrip("/"):
        raise Refused(
            f"the keys in {data} are for {server.url}, not for {url}: give the data directory of that service"
        )
    return server.url


def ends_before(now: datetime, county: County) -> datetime:
    """A start with which the whole county lies in the past."""
    return now - timedelta(days=county.days + county.tail_days) - timedelta(hours=1)
