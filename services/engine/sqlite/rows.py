"""Many rows in few statements.

`executemany` gives Python's lock up and takes it back for every row, and beside a busy event loop each taking can
cost milliseconds. One statement of many rows gives it up once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from services.engine.sqlite.connections import Executing

T = TypeVar("T")
Row = tuple[Any, ...]
"""What SQLite gives back."""

LARGEST = 256
"""Rows in one statement at most; smaller statements have half of that, and so on, so that few texts are ever prepared.
A row of 13 columns then has 3,328 variables, of the 32,766 that SQLite allows."""


def insert_rows(connection: Executing, statement: str, rows: Sequence[Sequence[object]], conflict: str = "") -> None:
    """`statement` is `INSERT INTO table (columns)`, each of `rows` their values; `conflict` an `ON CONFLICT` clause."""
    for part in _parts(rows):
        text = _insert(statement, len(part), len(part[0]), conflict)
        connection.execute(text, [value for row in part for value in row])


def select_in(connection: Executing, query: str, values: Collection[int | str]) -> Iterator[Row]:
    """The rows of `query`, which has one `{places}` inside `IN (…)`, for all `values`."""
    for part in _parts(list(values)):
        yield from connection.execute(_select(query, len(part)), part)


@lru_cache(maxsize=256)
def _insert(statement: str, rows: int, columns: int, conflict: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{statement} VALUES {', '.join([row] * rows)} {conflict}"


@lru_cache(maxsize=256)
def _select(query: str, values: int) -> str:
    return query.format(places=", ".join("?" * values))


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    first, size = 0, LARGEST
    while first < len(rows):
        while size > len(rows) - first:
            size //= 2
        yield rows[first : first + size]
        first += size
