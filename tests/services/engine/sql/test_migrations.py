"""The tables a migration makes are the ones the code writes, and an address that cannot serve is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text

from services.engine.sql import open_store
from services.engine.sql.database import Purpose, open_engine, parsed
from services.engine.sql.events import event_row
from services.engine.sql.migrating import STORE
from services.engine.sql.tables import EDITIONS, EVENTS, METADATA
from services.engine.transaction import StorageFailed
from tests.support.core_rules import fact
from tests.support.records import record

PURPOSE = Purpose("a test", RuntimeError)


def test_migrations_end_in_the_tables_of_the_code(address: str) -> None:
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    with engine.begin() as connection:
        STORE.migrate(connection, RuntimeError)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": STORE.version_table, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
        assert STORE.version_of(connection) == STORE.newest()
    engine.dispose()


async def test_opening_again_keeps_what_is_there(address: str) -> None:
    async with open_store(address) as store:
        await store.writer.write(lambda tx: tx.audit.append(b"{}"))
    async with open_store(address) as store:
        assert len(await store.writer.read(lambda tx: tx.audit.entries(0, 9))) == 1


async def test_a_store_that_knew_no_editions_is_given_those_of_its_events(address: str) -> None:
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    with engine.begin() as connection:
        STORE.migrate(connection, RuntimeError)
        facts = {n: fact(n, "call.closed", edition=f"e{n % 1_000 == 0}") for n in range(1, 2_101)}
        connection.execute(insert(EVENTS), [event_row(n, record(each)) for n, each in facts.items()])
        connection.execute(text(f"DROP TABLE {EDITIONS.name}"))
        connection.execute(text(f"UPDATE {STORE.version_table} SET version_num = '0001'"))
    engine.dispose()
    async with open_store(address) as store:
        assert await store.log.editions() == ["eFalse", "eTrue"]


async def test_tables_of_a_newer_release_are_refused(address: str) -> None:
    async with open_store(address):
        pass
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {STORE.version_table} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageFailed, match="newer release"):
        async with open_store(address):
            pass


@pytest.mark.parametrize(
    "wrong", ["", "no address", "mysql://ccr@localhost/ccr", "sqlite://", "sqlite:////nowhere/at/all.sqlite"]
)
async def test_an_address_that_cannot_serve_is_refused_with_the_reason(wrong: str) -> None:
    with pytest.raises(StorageFailed):
        async with open_store(wrong):
            pass


async def test_a_file_is_for_this_user_only(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        await store.writer.write(lambda tx: tx.audit.append(b"{}"))
        assert {found.stat().st_mode & 0o777 for found in tmp_path.iterdir()} == {0o600}


async def test_a_refusal_never_repeats_the_password() -> None:
    with pytest.raises(StorageFailed) as refused:
        async with open_store("postgresql://ccr:hunter2-invented@localhost:1/ccr"):
            pass
    assert "hunter2-invented" not in str(refused.value)
