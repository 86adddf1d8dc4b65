"""The tables a migration makes are the ones the code writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from services.engine.sql.database import open_engine, parsed
from services.monitor.read_model.migrating import READ_MODEL
from services.monitor.read_model.store import PURPOSE, ReadModelRefused, open_read_model
from services.monitor.read_model.tables import METADATA


def test_migrations_end_in_the_tables_of_the_code(address: str) -> None:
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    with engine.begin() as connection:
        READ_MODEL.migrate(connection, RuntimeError)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": READ_MODEL.version_table, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
        assert READ_MODEL.version_of(connection) == READ_MODEL.newest()
    engine.dispose()


def test_migrating_twice_changes_nothing(address: str) -> None:
    open_read_model(address).close()
    open_read_model(address).close()


def test_tables_of_a_newer_release_are_refused(address: str) -> None:
    open_read_model(address).close()
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {READ_MODEL.version_table} SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ReadModelRefused, match="newer release"):
        open_read_model(address)


@pytest.mark.parametrize("wrong", ["", "no address", "mysql://ccr@localhost/ccr", "sqlite:////nowhere/at/all.sqlite"])
def test_an_address_that_cannot_serve_is_refused_with_the_reason(wrong: str) -> None:
    with pytest.raises(ReadModelRefused):
        open_read_model(wrong)


def test_a_file_is_for_this_user_only(tmp_path: Path) -> None:
    model = open_read_model(f"sqlite:///{tmp_path / 'read-model.sqlite'}")
    assert {found.stat().st_mode & 0o777 for found in tmp_path.iterdir()} == {0o600}
    model.close()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ReadModelRefused, match="No such file"):
        open_read_model(f"sqlite:///{tmp_path / 'nowhere' / 'read-model.sqlite'}")


def test_a_refusal_never_repeats_the_password() -> None:
    with pytest.raises(ReadModelRefused) as refused:
        open_read_model("postgresql://ccr:hunter2-invented@localhost:1/ccr")
    assert "hunter2-invented" not in str(refused.value)
