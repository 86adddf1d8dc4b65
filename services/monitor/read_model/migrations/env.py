"""Run by alembic, on the connection that `services.monitor.read_model.migrating` hands over."""

from __future__ import annotations

from alembic import context

from services.monitor.read_model.migrating import VERSION_TABLE
from services.monitor.read_model.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, version_table=VERSION_TABLE
)
context.run_migrations()
