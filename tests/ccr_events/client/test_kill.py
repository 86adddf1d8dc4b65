"""An adapter killed under load, its network bad: what it was told is kept arrives, in order and once."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from ccr_events.agencies import Agency
from ccr_events.client import AdapterClient, waits
from services.embedded import Backbone
from tests.support.flaky import flaky_backbone

KILLS = 3
ENOUGH = 300
"""Events after which a round ends even if its kill comes late."""


async def _publish_until_killed(url: str, spool: Path, key: str, first: int, after: int) -> int:
    """Returns the number of the last event whose `publish` is known to have returned."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.doomed_adapter",
        url,
        str(spool),
        str(first),
        env={**os.environ, "CCR_KEY": key},
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    last = first - 1
    async for line in child.stdout:
        last = int(line)
        if last >= first + after or last > ENOUGH:
            break
    child.kill()
    rest, _ = await child.communicate()
    return max([last, *(int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n"))])


async def _published(backbone: Backbone) -> list[str]:
    """Ids of the adapter's events in the order of the log, which also holds what followed from them."""
    found, after = list[str](), 0
    while page := await backbone.log.read(after):
        found += [record.event_id for record in page if b'"call.dispatched"' in record.body]
        after = page[-1].position
    return found


async def test_an_adapter_killed_under_load_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "LONGEST_S", 0.05)
    random, told = Random(7), 0
    async with flaky_backbone(tmp_path / "data") as (backbone, flaky, url):
        key = await backbone.issue_key(Agency.PSAP)
        spool = tmp_path / "spool"
        for _ in range(KILLS):
            told = await _publish_until_killed(url, spool, key, told + 1, random.randrange(5, 60))
        async with AdapterClient(url, key, spool=spool) as client:
            assert await client.flush(30), await client.status()
        ids = await _published(backbone)
    assert flaky.failed > 0
    numbers = [UUID(found).int for found in ids]
    assert set(range(1, told + 1)) <= set(numbers)
    assert numbers == sorted(set(numbers))
