"""Empty databases for tests that run on SQLite and on PostgreSQL."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import create_engine, text


def empty_database(server: str, prefix: str) -> str:
    """The address of a new database on a server of `tests.support.postgresql`."""
    name = f"{prefix}_{uuid4().hex}"
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")
