"""The version of a set of tables: brought to the newest by alembic, and checked before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select


@dataclass(frozen=True, slots=True)
class Migrations:
    """The migrations of one set of tables; several sets may share a database."""

    directory: Path
    """Where alembic finds `env.py` and `versions`."""
    version_table: str
    """Where alembic keeps the version: a name of its own for each set."""
    lock: int
    """PostgreSQL advisory lock of the one process that migrates; processes that start together wait for it."""

    def migrate(self, connection: Connection, refused: Callable[[str], Exception]) -> None:
        """Bring the tables to this release's version, in the transaction of the caller, who commits.

        Raises what `refused` makes of the reason when they were made by a newer release.
        """
        if connection.dialect.name == "postgresql":  # SQLite's transactions write one after the other anyway
            connection.execute(select(func.pg_advisory_xact_lock(self.lock)))
        found = self.version_of(connection)
        if found is not None and found > self.newest():
            raise refused(
                f"its tables were made by a newer release (version {found}, this one knows {self.newest()}); "
                "install that release"
            )
        config = self._config()
        config.attributes["connection"] = connection
        config.attributes["version_table"] = self.version_table
        command.upgrade(config, "head")

    def version_of(self, connection: Connection) -> str | None:
        """The version of the tables; None in a database that has none of them."""
        context = MigrationContext.configure(connection, opts={"version_table": self.version_table})
        return context.get_current_revision()

    def newest(self) -> str:
        """The version this release writes."""
        head = ScriptDirectory.from_config(self._config()).get_current_head()
        assert head is not None  # noqa: S101  # the first migration is part of the package
        return head

    def _config(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(self.directory).replace("%", "%%"))
        return config


STORE = Migrations(Path(__file__).parent / "migrations", "store_version", 0x43435232)
"""Of the SQL store's own tables."""
