"""Run by alembic, on the connection that `services.engine.sql.migrating` hands over."""

from __future__ import annotations

from alembic import context

from services.monitor.read_model.tables import METADATA

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"], target_metadata=METADATA, version_table=attributes["version_table"]
)
context.run_migrations()
