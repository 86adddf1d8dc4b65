"""A stopped data directory with one case: an arrest recorded a minute after T0, the written report two days after."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from services.demo.clock import ScriptClock
from services.embedded import Settings, open_backbone
from services.engine.ports import Submission
from tests.support.doors import T0
from tests.support.portals import arrest, report


def fill(directory: Path) -> Path:
    """Make it in an empty directory."""

    async def publish() -> None:
        clock = ScriptClock(T0 + timedelta(minutes=1))
        async with open_backbone(Settings(data=directory, clock=clock)) as backbone:
            await backbone.publisher.submit([Submission(arrest(), "le", "key")])
            clock.move_to(T0 + timedelta(days=2))
            await backbone.publisher.submit([Submission(report(), "le", "key")])

    asyncio.run(publish())
    return directory
