"""Subscribers of the alert stream: some slow, some whose connection breaks; each comes back with the last id it heard.

The server's side does what `services.portal.alerts` does around a subscription.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ccr_events.core.model import Transition
from services.alerts.frame import Alert
from services.alerts.stream import BeyondNewest
from services.portal.alerts import SEND_S
from tests.simulation.backbone import Backbones, Process, Serving
from tests.simulation.world import World

HEARTBEAT_S = 86_400.0
"""A silent stream costs the run a step a day."""
LONGEST_AWAY_S = 7_200.0
"""A subscriber comes back within this time."""
CALM_AWAY_S = 60.0
"""Once it is calm."""
SLOW_S = 60.0
"""A slow one takes this long over an alert at most; the server gives it up after `SEND_S`."""


@dataclass(frozen=True, slots=True)
class HeardAlert:
    """One alert as it reached a subscriber."""

    seq: int
    transition_id: str


@dataclass
class Listener:
    """One subscriber, from the first alert on."""

    world: World
    backbones: Backbones
    agency: str
    slow: bool
    told: Callable[[Transition], None] = lambda transition: None
    heard: list[HeardAlert] = field(default_factory=list)
    over: bool = False

    @property
    def newest(self) -> int:
        """What it would send as `Last-Event-ID`."""
        return self.heard[-1].seq if self.heard else 0

    async def run(self) -> None:
        """Listen, and come back whenever the connection ends."""
        world = self.world
        while not self.over:
            process = self.backbones.current
            if process is not None and process.serving is not None:
                stream = process.handle(self._served(process, process.serving))
                await asyncio.wait({stream, process.gone}, return_when=asyncio.FIRST_COMPLETED)
                stream.cancel()
                if stream.done() and not stream.cancelled() and isinstance(stream.exception(), BeyondNewest):
                    world.trace.violated(f"{self.agency} heard alert {self.newest}, which the outbox does not hold")
                    return
            await asyncio.sleep(CALM_AWAY_S if world.calm else world.random.random() ** 4 * LONGEST_AWAY_S)

    async def _served(self, process: Process, serving: Serving) -> None:
        """The server's side of a connection."""
        subscription = await serving.hub.subscribe(self.agency, lambda _: True, after=self.newest)
        batches = subscription.batches(HEARTBEAT_S)
        try:
            async for batch in batches:
                async with asyncio.timeout(SEND_S):
                    for item in batch:
                        await self._reached(process, item)
                serving.receipts.sent(self.agency, batch)
        finally:
            await batches.aclose()

    async def _reached(self, process: Process, item: Alert) -> None:
        """One alert on its way to the subscriber. Raises `ConnectionError` when the connection has ended."""
        world = self.world
        if self.slow and not world.calm:
            await asyncio.sleep(world.random.random() ** 3 * SLOW_S)
        if not process.alive:
            raise ConnectionError
        if world.chance(world.plan.broken_streams):
            world.trace.fault("stream broken")
            raise ConnectionError
        if item.seq <= self.newest:
            world.trace.violated(f"{self.agency} heard alert {item.seq} after {self.newest}")
        self.heard.append(HeardAlert(item.seq, item.transition.id))
        world.trace.tell(f"{self.agency} heard {item.seq} {item.transition.kind.value} {item.transition.link.rule}")
        self.told(item.transition)
