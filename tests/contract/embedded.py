"""The embedded engine under test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from ccr_events.core.codec import encode_view
from services.demo.clock import ScriptClock
from services.embedded import Backbone, Settings, open_backbone
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.portal.app import create_app
from tests.contract.backbones import UnderTest
from tests.support.portals import called, keys_of


@asynccontextmanager
async def embedded(
    directory: Path,
    start: datetime,
    master_key: Path | None = None,
    release_is_live: ReleaseIsLive = no_release_is_live,
) -> AsyncIterator[UnderTest]:
    clock = ScriptClock(start)
    settings = Settings(data=directory, clock=clock, master_key=master_key, release_is_live=release_is_live)
    async with (
        open_backbone(settings) as backbone,
        called(create_app(backbone)) as http,
    ):

        async def settle() -> None:
            """What is accepted is folded; what has passed is fired soon."""
            while (due := await pending()) is not None and due <= clock.now():
                await asyncio.sleep(0.001)

        async def pending() -> datetime | None:
            await asyncio.sleep(0)
            return await backbone.next_deadline()

        async def views() -> Mapping[str, bytes]:
            return await _views(backbone)

        yield UnderTest(http, await keys_of(backbone), clock, backbone.log, backbone.alerts, settle, pending, views)


async def _views(backbone: Backbone) -> Mapping[str, bytes]:
    cases = {record.case_id for record in await backbone.log.read(0, 100_000)}
    return await backbone.writer.read(lambda tx: {case: encode_view(tx.views.get(case)) for case in cases})
