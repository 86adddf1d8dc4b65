"""One SQLite file, open in several processes at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from services.engine.sql.store import open_store

OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE store_counters SET last = last")
connection.execute("COMMIT")
connection.close()
"""


async def test_another_process_that_closes_the_file_takes_nothing_from_those_that_have_it_open(tmp_path: Path) -> None:
    """Whoever closes last takes the write-ahead log away; the locks of the others tell that it is not the last."""
    file = tmp_path / "store.sqlite"
    async with open_store(f"sqlite:///{file}") as store:
        await store.counts.figures()
        before = (tmp_path / "store.sqlite-wal").stat().st_ino
        subprocess.run([sys.executable, "-c", OTHER, str(file)], check=True)
        assert (tmp_path / "store.sqlite-wal").stat().st_ino == before
        await store.writer.write(lambda tx: tx.api_keys.all())
