"""A portal in a directory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.portals import Portal, portal


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Portal]:
    async with portal(tmp_path / "data") as opened:
        yield opened
