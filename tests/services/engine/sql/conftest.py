"""An open store on SQLite and on PostgreSQL, with a stand-in for the way to Kafka."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from services.engine.sql import SqlStore, open_store
from services.engine.sql.database import Purpose, open_engine, parsed
from tests.support.databases import empty_database
from tests.support.postgresql import postgresql
from tests.support.sending import Sent


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with postgresql() as address:
        yield address


@pytest.fixture
def postgresql_address(server: str) -> Iterator[str]:
    """The address of an empty database on PostgreSQL."""
    with empty_database(server, "store") as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.sqlite'}"
    found: str = request.getfixturevalue("postgresql_address")
    return found


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
async def store(address: str, sent: Sent) -> AsyncIterator[SqlStore]:
    async with open_store(address, sent) as opened:
        yield opened


@pytest.fixture
def rows(address: str) -> Iterator[Callable[[str], list[Any]]]:
    """What a query over the tables gives."""
    purpose = Purpose("a test", RuntimeError)
    engine = open_engine(parsed(address, purpose), purpose, reading=True)

    def ask(query: str) -> list[Any]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    yield ask
    engine.dispose()
