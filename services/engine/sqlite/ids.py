"""Which row has an id: ids of events and links, hashed, to row numbers.

Ids come in no order, so a plain index over a million of them is written at a thousand places by a thousand events,
a page each. Here new ids go to a small table first, and from there to the large one a slice at a time, where a slice
lies on few pages: an event costs much the same on a short log as on a long one. A view joins the two.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from services.engine.sqlite.connections import Executing
from services.engine.sqlite.rows import Row, insert_rows, select_in

NEWEST = 32_768
"""Ids that the small table holds; beyond it slices move on."""
SLICE_BITS = 7
"""The small table is moved in 128 slices."""


@dataclass(frozen=True, slots=True)
class IdTable:
    """The names of one such index in the schema."""

    settled: str
    """The large table."""
    newest: str
    """The small one."""
    both: str
    """The view of both: (hash, number)."""
    rows: str
    """What is indexed."""
    number: str
    """Its primary key."""
    id: str
    """Its id."""


EVENT_IDS = IdTable("event_ids", "event_ids_newest", "event_numbers", "events", "position", "event_id")
LINK_IDS = IdTable("link_ids", "link_ids_newest", "link_numbers", "links", "link_number", "link_id")


def hash_of(text: str) -> int:
    """64 bits, signed. Ids that share them are told apart by their rows."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def find_rows(connection: Executing, table: IdTable, columns: str, ids: Collection[str]) -> dict[str, Row]:
    """Id → the columns of its row, for those of `ids` that have one."""
    query = (
        f"SELECT {table.id}, {columns} FROM {table.rows} WHERE {table.number} IN "  # noqa: S608
        f"(SELECT number FROM {table.both} WHERE hash IN ({{places}}))"
    )
    rows = select_in(connection, query, [hash_of(text) for text in ids])
    return {row[0]: row[1:] for row in rows if row[0] in ids}


def find_row(connection: Executing, table: IdTable, columns: str, text: str) -> Row | None:
    """The columns of the row with this id."""
    found: Row | None = connection.execute(
        f"SELECT {columns} FROM {table.rows} WHERE {table.number} IN "  # noqa: S608
        f"(SELECT number FROM {table.both} WHERE hash = ?) AND {table.id} = ?",
        (hash_of(text), text),
    ).fetchone()
    return found


class IdIndex:
    """The writing side: new ids in, slices moved on."""

    __slots__ = ("_newest", "_slice", "_table")

    def __init__(self, table: IdTable) -> None:
        self._table = table
        self._newest: int | None = None
        self._slice = 0

    def add(self, writing: sqlite3.Connection, rows: Sequence[tuple[str, int]]) -> None:
        """(id, number) of rows that have just been stored."""
        if self._newest is None:
            query = f"SELECT count(*) FROM {self._table.newest}"  # noqa: S608
            self._newest = writing.execute(query).fetchone()[0]
        hashed = sorted((hash_of(text), number) for text, number in rows)
        # A link that was taken away and comes again may find its old entry.
        insert_rows(writing, f"INSERT INTO {self._table.newest} (hash, number)", hashed, "ON CONFLICT DO NOTHING")
        self._newest += len(hashed)
        moved = 0
        while self._newest > NEWEST and moved < 1 << SLICE_BITS:
            self._newest -= self._move(writing)
            moved += 1

    def forget(self) -> None:
        """The group failed: count anew from what is on disk."""
        self._newest = None

    def _move(self, writing: sqlite3.Connection) -> int:
        """Move the next slice; returns how many ids it had."""
        width = 1 << (64 - SLICE_BITS)
        first = self._slice * width - (1 << 63)
        self._slice = (self._slice + 1) % (1 << SLICE_BITS)
        between, last = "hash BETWEEN ? AND ?", first + width - 1
        writing.execute(
            f"INSERT INTO {self._table.settled} SELECT hash, number FROM {self._table.newest} WHERE {between} "  # noqa: S608
            "ON CONFLICT DO NOTHING",
            (first, last),
        )
        gone = writing.execute(f"DELETE FROM {self._table.newest} WHERE {between}", (first, last))  # noqa: S608
        return gone.rowcount
