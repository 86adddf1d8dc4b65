"""The version of a read model's tables; how it is brought to the newest is `services.engine.sql.migrating`."""

from __future__ import annotations

from pathlib import Path

from services.engine.sql.migrating import Migrations

READ_MODEL = Migrations(Path(__file__).parent / "migrations", "read_model_version", 0x43435231)
"""Of the tables of a read model."""
