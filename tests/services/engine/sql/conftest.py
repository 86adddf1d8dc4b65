"""An open store on SQLite and on PostgreSQL, with a stand-in for the way to Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from services.engine.sql import SqlStore, open_store
from tests.support.databases import empty_database
from tests.support.postgresql import postgresql
from tests.support.sending import Sent


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    return empty_database(request.getfixturevalue("server"), "store")


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
async def store(address: str, sent: Sent) -> AsyncIterator[SqlStore]:
    async with open_store(address, sent) as opened:
        yield opened
