"""The way to the backbone: messages are late, lost or repeated, and connections end with the process behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.engine.transaction import EngineClosed, StorageFailed
from services.sealing.keys import KeyStoreError
from tests.simulation.backbone import Backbones, Serving
from tests.simulation.world import World

T = TypeVar("T")

ANSWER_S = 60.0
"""How long a caller waits for an answer."""
FIRST_RETRY_S = 1.0
"""Wait after a failed call; doubled each time."""
LONGEST_RETRY_S = 900.0
REPEATED_WITHIN_S = 7_200.0
"""A repeated request arrives again within this time."""


class Lost(ConnectionError):
    """No answer came: whether the request was processed is not known."""


class Network:
    """Between everyone and the process under test."""

    def __init__(self, world: World, backbones: Backbones) -> None:
        self._world = world
        self._backbones = backbones

    async def insist(self, act: Callable[[Serving], Awaitable[T]], what: str) -> T:
        """Call until an answer comes, as every adapter must."""
        wait_s = FIRST_RETRY_S
        while True:
            try:
                return await self.call(act)
            except (Lost, EngineClosed, StorageFailed, KeyStoreError) as error:
                self._world.trace.tell(f"{what} failed ({type(error).__name__}), again in about {wait_s:.0f} s")
            await asyncio.sleep(wait_s * (0.5 + self._world.random.random()))
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def call(self, act: Callable[[Serving], Awaitable[T]]) -> T:
        """One request and its answer. Raises `Lost`, or what the backbone raised."""
        world, plan = self._world, self._world.plan
        await self._travel()
        if world.chance(plan.lost_requests):
            world.trace.fault("request lost")
            await asyncio.sleep(ANSWER_S)
            raise Lost
        process = self._backbones.current
        if process is None or process.serving is None:
            raise Lost
        task = process.handle(act(process.serving))
        if world.chance(plan.repeated):
            world.trace.fault("request repeated")
            world.begin(self._repeat(act), "repeated request")
        await asyncio.wait({task, process.gone}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        if not process.alive or not task.done() or task.cancelled():
            raise Lost
        await self._travel()
        if world.chance(plan.lost_answers):
            world.trace.fault("answer lost")
            raise Lost
        return task.result()

    async def _repeat(self, act: Callable[[Serving], Awaitable[T]]) -> None:
        await asyncio.sleep(self._world.random.random() ** 4 * REPEATED_WITHIN_S)
        process = self._backbones.current
        if process is not None and process.serving is not None:
            process.handle(act(process.serving))

    async def _travel(self) -> None:
        random = self._world.random
        slow = self._world.plan.slow_network and not self._world.calm
        await asyncio.sleep(random.random() ** 5 * 2 * ANSWER_S if slow else random.random() * 0.05)
