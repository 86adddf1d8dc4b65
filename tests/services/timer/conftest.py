"""An open engine in a directory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.engine.sqlite import SqliteEngine, open_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    async with open_engine(tmp_path) as opened:
        yield opened
