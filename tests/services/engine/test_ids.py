"""Ids are found wherever they lie: among the newest, among the settled, and whoever shares their hash."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.engine.sqlite import ids
from services.engine.sqlite.database import connect
from services.engine.sqlite.ids import EVENT_IDS, IdIndex, find_row, find_rows
from services.engine.sqlite.schema import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = connect(tmp_path / "x.sqlite")
    migrate(opened)
    yield opened
    opened.close()


def store(connection: sqlite3.Connection, index: IdIndex, first: int, last: int) -> None:
    rows = [(n, f"id-{n}") for n in range(first, last + 1)]
    connection.executemany("INSERT INTO events VALUES (?, ?, 'case-1', x'00', 1, x'00')", rows)
    index.add(connection, [(text, number) for number, text in rows])


def counted(connection: sqlite3.Connection) -> tuple[int, int]:
    tables = (EVENT_IDS.newest, EVENT_IDS.settled)
    return tuple(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)  # type: ignore[return-value]


def test_every_id_is_found_while_slices_move_on(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "NEWEST", 50)
    index = IdIndex(EVENT_IDS)
    for first in range(1, 600, 7):
        store(connection, index, first, first + 6)
        newest, settled = counted(connection)
        assert newest <= 50
        assert newest + settled == first + 6
    wanted = [f"id-{n}" for n in range(1, 700)]
    assert find_rows(connection, EVENT_IDS, "position", wanted) == {f"id-{n}": (n,) for n in range(1, 603)}
    assert find_row(connection, EVENT_IDS, "position", "id-602") == (602,)
    assert find_row(connection, EVENT_IDS, "position", "id-603") is None


def test_an_index_opened_again_counts_what_it_finds(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "NEWEST", 50)
    store(connection, IdIndex(EVENT_IDS), 1, 40)
    store(connection, IdIndex(EVENT_IDS), 41, 80)
    assert counted(connection)[0] <= 50
    assert len(find_rows(connection, EVENT_IDS, "position", [f"id-{n}" for n in range(1, 81)])) == 80


def test_ids_that_share_a_hash_are_told_apart(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "hash_of", lambda text: len(text))
    store(connection, IdIndex(EVENT_IDS), 1, 9)
    assert find_row(connection, EVENT_IDS, "position", "id-7") == (7,)
    assert find_row(connection, EVENT_IDS, "position", "id-0") is None
    assert find_rows(connection, EVENT_IDS, "position", ["id-3", "id-0", "id-8"]) == {"id-3": (3,), "id-8": (8,)}


def test_hashes_fit_the_table_at_both_ends() -> None:
    hashes = [ids.hash_of(str(n)) for n in range(1_000)]
    assert min(hashes) < -(1 << 62)
    assert max(hashes) > 1 << 62
    assert len(set(hashes)) == 1_000
