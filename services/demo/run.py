"""The demo from end to end: a backbone in this process, the week played over HTTP, the alerts read back, the proof."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console

from ccr_events.agencies import Agency
from services.demo.acts import acts, ends_at
from services.demo.board import Board
from services.demo.clock import ScriptClock
from services.demo.desks import Desks
from services.demo.figures import Figures
from services.demo.listener import Heard, Listener
from services.demo.player import Player, pace_of
from services.demo.proof import alerts_lost, events_lost
from services.demo.scenario import Week, load_week
from services.demo.screen import screen_for
from services.embedded import Backbone, Settings, open_backbone
from services.engine.ports import AlertSource
from services.portal.app import create_app
from services.portal.server import served

SETTLE_S = 20.0
"""How long after the clock has stopped the last alerts may take to be read."""
POLL_S = 0.02
QUIET_S = 0.15
"""The stream is at rest when nothing new was committed for so long: receipts for alerts cause alerts themselves."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asked for."""

    seconds: float
    seed: int
    port: int
    """0: any free one."""
    data: Path
    """An empty directory."""
    page: bool
    """Whether to print the address of the live page."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands once everything is up, and is still there for who keeps it open."""

    figures: Figures
    page: str
    """Address of the live page, with a key that may see everything."""


@dataclass(slots=True)
class Ear:
    """What the tracking entity's subscription has read."""

    board: Board
    told: Callable[[str | None], None]
    newest: int = 0
    seqs: set[int] = field(default_factory=set)
    reads: list[tuple[str, float]] = field(default_factory=list)
    """(event that caused it, `time.perf_counter`) of each alert."""

    def __call__(self, heard: Heard) -> None:
        """Take in one alert."""
        self.newest = heard.seq
        self.seqs.add(heard.seq)
        self.reads.append((heard.body["causationid"], heard.read_s))
        self.told(self.board.heard(heard.body))


@dataclass(slots=True)
class Counted:
    """What the advocacy program's subscription has read."""

    count: int = 0

    def __call__(self, heard: Heard) -> None:
        """Count one alert."""
        self.count += 1


@asynccontextmanager
async def performed(wish: Wish, console: Console) -> AsyncIterator[Stage]:
    """Play the week and prove it; what was built stays up until the context is left.

    Raises `Refused` when an act does not go as the script says, `StreamLost` when the alert stream breaks for good.
    """
    week = load_week()
    script = acts(week, wish.seed)
    clock = ScriptClock(script[0].at)
    settings = Settings(data=wish.data, clock=clock, release_is_live=week.release_is_live)
    async with open_backbone(settings) as backbone:
        keys = {agency.value: await backbone.issue_key(agency, "demo") for agency in Agency}
        async with served(create_app(backbone), port=wish.port) as (url, _), Desks(url, keys) as desks:
            page = f"{url}/#key={keys[Agency.CCR]}"
            if wish.page:
                console.print(f"Live page: {page}", soft_wrap=True)
            player = Player(
                acts=script,
                ends_at=ends_at(week),
                pace=pace_of(script, ends_at(week), wish.seconds),
                clock=clock,
                desks=desks,
                zone=week.county.zone,
                next_deadline=backbone.next_deadline,
            )
            yield Stage(await _played(player, week, backbone, url, keys, console), page)


async def _played(
    player: Player, week: Week, backbone: Backbone, url: str, keys: Mapping[str, str], console: Console
) -> Figures:
    board = Board(week.county.zone, player.cases)
    screen = screen_for(console, week.county.name, board, len(player.acts), player.clock.now)
    everything, advocates = Ear(board, screen.told), Counted()
    player.moved = screen.moved
    with screen:
        await _while_listening(
            [Listener(url, keys[Agency.CCR], everything), Listener(url, keys[Agency.ADV], advocates)],
            lambda: _to_the_end(player, backbone.alerts, everything),
        )
    figures = player.figures
    figures.kinds = board.kinds
    figures.to_advocates = advocates.count
    figures.latencies_s = [
        read_s - player.sent_s[cause] for cause, read_s in everything.reads if cause in player.sent_s
    ]
    figures.lost = await events_lost(backbone.log, player.accepted) + await alerts_lost(
        backbone.alerts, everything.seqs
    )
    figures.replay_identical = (await backbone.replay_verified()).identical
    return figures


async def _to_the_end(player: Player, source: AlertSource, ear: Ear) -> None:
    await player.play()
    await _at_rest(source, ear)


async def _at_rest(source: AlertSource, ear: Ear) -> None:
    """Return when everything committed was read and nothing more comes, at the latest after `SETTLE_S`."""
    started_s = calm_since_s = perf_counter()
    newest = -1
    while perf_counter() - started_s < SETTLE_S:
        last = await source.last_seq()
        if last != newest or ear.newest < last:
            newest, calm_since_s = last, perf_counter()
        elif perf_counter() - calm_since_s > QUIET_S:
            return
        await asyncio.sleep(POLL_S)


async def _while_listening(listeners: Sequence[Listener], play: Callable[[], Coroutine[None, None, None]]) -> None:
    """Play while every listener is connected; the first error of either goes on."""
    tasks = [asyncio.create_task(listener.follow(), name="demo alerts") for listener in listeners]
    try:
        await _first_of([asyncio.gather(*(listener.connected.wait() for listener in listeners)), *tasks])
        await _first_of([asyncio.ensure_future(play()), *tasks])
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _first_of(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Wait for the first to end, and raise what it raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        if not tasks[0].done():
            tasks[0].cancel()
            await asyncio.gather(tasks[0], return_exceptions=True)
