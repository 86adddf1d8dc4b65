"""The agencies' adapters: each sends what its agency reports until it hears an answer, alone or with others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import orjson

from ccr_events.envelope import write_structured
from services.engine.ports import Receipt, Submission
from services.intake.advocacy import body_is_kept
from services.intake.quarantine import NotWaiting
from tests.simulation.backbone import Serving
from tests.simulation.clock import START
from tests.simulation.load import Repair, Report
from tests.simulation.network import Network
from tests.simulation.world import World

KEY_ID = "0" * 16
"""Public id of the API key everything is sent under."""
MAX_BATCH = 6
"""Reports sent together at most."""
BATCH_WAIT_S = 3_600.0
"""A report waits for others this long at most."""


def start_adapters(world: World, network: Network, reports: Sequence[Report | Repair]) -> None:
    """Begin to send everything, each at its time."""
    batch: list[Report] = []
    held: dict[str, asyncio.Future[str]] = {}
    for report in reports:
        if isinstance(report, Repair):
            world.begin(_redrive(world, network, report, held), "repair")
            continue
        if batch and (
            report.agency != batch[0].agency
            or len(batch) == MAX_BATCH
            or (report.at - batch[0].at).total_seconds() > BATCH_WAIT_S
            or not world.chance(world.plan.batches)
        ):
            world.begin(_publish(world, network, batch, held), "adapter")
            batch = []
        batch.append(report)
    if batch:
        world.begin(_publish(world, network, batch, held), "adapter")


async def _publish(
    world: World, network: Network, reports: Sequence[Report], held: dict[str, asyncio.Future[str]]
) -> None:
    await _until(world, reports[-1].at)
    for report in reports:
        world.books.sending(report.event, report.agency)
    submissions = [Submission(report.event, report.agency, KEY_ID) for report in reports]

    async def send(serving: Serving) -> list[Receipt]:
        return await serving.backbone.publisher.submit(submissions)

    receipts = await network.insist(send, f"publishing {len(submissions)}")
    for report, receipt in zip(reports, receipts, strict=True):
        body = orjson.dumps(write_structured(report.event)) if body_is_kept(report.agency) else None
        world.books.answered(report.event.id, receipt, body)
        if receipt.quarantine_id is not None:
            waiting = held.setdefault(report.event.id, world.loop.create_future())
            if not waiting.done():
                waiting.set_result(receipt.quarantine_id)


async def _redrive(world: World, network: Network, repair: Repair, held: dict[str, asyncio.Future[str]]) -> None:
    await _until(world, repair.at)
    quarantine_id = await held.setdefault(repair.event.id, world.loop.create_future())
    world.books.sending(repair.event, repair.agency)
    body = orjson.dumps(write_structured(repair.event))

    async def redrive(serving: Serving) -> Receipt | None:
        try:
            return await serving.backbone.quarantine.redrive(quarantine_id, body=body, by=KEY_ID)
        except NotWaiting:  # done before, and the answer was lost
            return None

    receipt = await network.insist(redrive, "redriving")
    if receipt is not None:
        world.books.answered(repair.event.id, receipt, body)


async def _until(world: World, at: datetime) -> None:
    await asyncio.sleep(max(0.0, (at - START).total_seconds() - world.loop.time()))
