"""SQLite rolls a transaction back by itself after an error of the disk, also one that only reads."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from services.engine.sqlite import open_engine
from services.engine.transaction import StorageFailed, Transaction


def broken_disk(tx: Transaction) -> None:
    """A query during which the disk reports an error, as SQLite leaves its connection then."""
    tx.events._connection.execute("ROLLBACK")  # type: ignore[attr-defined]
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR
    raise error


async def test_an_error_of_the_disk_while_reading_is_said_so_and_the_next_query_is_answered(tmp_path: Path) -> None:
    async with open_engine(tmp_path) as engine:
        for _ in range(8):  # more often than there are connections
            with pytest.raises(StorageFailed, match="check the disk"):
                await engine.writer.read(broken_disk)
        assert await engine.writer.read(lambda tx: tx.events.find("none")) is None
