"""The faults that come by themselves: crashes, restarts, refusals of the disk, jumps of the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from math import log10

from tests.simulation.backbone import Backbones
from tests.simulation.disk import REFUSALS
from tests.simulation.world import World

MAX_STEPS_TO_CRASH = 3_000
"""A crash comes within so many steps of the loop, sooner more often."""
MAX_COMMITS_TO_CUT = 6
"""Or during one of so many commits."""
AGAIN = 0.3
"""Share of crashes that are followed by another at once, while it starts."""
JUMPS_S = (-7_200.0, -60.0, -0.5, 0.5, 60.0, 7_200.0, 86_400.0, 5 * 86_400.0)
"""How far a clock jumps; often it is put right again later."""
LONGEST_REFUSAL_S = 3_600.0


def start_troubles(world: World, backbones: Backbones) -> None:
    """Begin with what the plan says."""
    plan = world.plan
    for rate, trouble in (
        (plan.crashes, partial(_crash, world, backbones)),
        (plan.restarts, partial(_restart, world, backbones)),
        (plan.refusals, partial(_refuse, world, backbones)),
        (plan.jumps, partial(_jump, world)),
    ):
        if rate > 0:
            world.begin(_again_and_again(world, rate / 86_400, trouble), "trouble")


async def _again_and_again(world: World, rate_per_s: float, trouble: Callable[[], None]) -> None:
    end_s = (world.plan.days + 7) * 86_400.0
    while True:
        await asyncio.sleep(world.random.expovariate(rate_per_s))
        if world.calm or world.loop.time() > end_s:
            return
        trouble()


def _crash(world: World, backbones: Backbones) -> None:
    random = world.random
    if world.calm:
        return
    if random.random() < 0.5:
        backbones.arm_power_cut(random.randint(1, MAX_COMMITS_TO_CUT))
    else:
        backbones.with_power = random.random() < 0.5
        backbones.crash_in_steps = round(10 ** (random.random() * log10(MAX_STEPS_TO_CRASH)))
    if random.random() < AGAIN:
        world.loop.call_later(random.random() * 60, _crash, world, backbones)


def _restart(world: World, backbones: Backbones) -> None:
    if backbones.current is not None and backbones.current.alive:
        world.trace.fault("restarted")
        backbones.current.stop()


def _refuse(world: World, backbones: Backbones) -> None:
    if backbones.current is None or not backbones.current.alive:
        return
    disk = backbones.current.disk
    disk.refusing = world.random.choice(REFUSALS)
    world.trace.tell(f"from now on: {disk.refusing}")

    def obey() -> None:
        disk.refusing = None

    world.loop.call_later(world.random.random() ** 3 * LONGEST_REFUSAL_S, obey)


def _jump(world: World) -> None:
    by_s = world.random.choice(JUMPS_S) * world.random.random()
    world.trace.fault("clock jumped", f"{by_s:.6f} s")
    world.clock.jump(by_s)
    if world.random.random() < 0.7:
        world.loop.call_later(world.random.random() * 86_400, world.clock.put_right)
