"""The events of the SQL store, case by case. Implements `services.casebook.history.History`. Reads only, creates
nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from services.engine.sql.database import Purpose, open_engine, parsed, shown
from services.engine.sql.failure import storage_failed
from services.engine.sql.tables import CASES, EVENTS, REFERENCES
from services.engine.transaction import StorageFailed

_PURPOSE = Purpose("the SQL store", StorageFailed)
FETCHED = 1_000
"""Rows that are fetched together."""


@dataclass(frozen=True, slots=True)
class StoreBound:
    """How much there was when reading began."""

    cases: int
    """Largest case number."""
    events: int


class StoreSnapshot:
    """One consistent state of the store."""

    def __init__(self, connection: Connection) -> None:
        """In a transaction of `open_store_snapshot`."""
        self._connection = connection

    def bound(self) -> StoreBound:
        """How much there is now."""
        cases = self._connection.execute(select(func.coalesce(func.max(CASES.c.number), 0))).scalar_one()
        events = self._connection.execute(select(func.count()).select_from(EVENTS)).scalar_one()
        return StoreBound(cases, events)

    def facts(self, first: int, last: int) -> Iterator[tuple[str, list[bytes]]]:
        """(case id, its events, oldest position first) of the cases with these numbers, in their order."""
        query = (
            select(CASES.c.number, CASES.c.case_id, EVENTS.c.body)
            .join(EVENTS, EVENTS.c.case_id == CASES.c.case_id)
            .where(CASES.c.number.between(first, last))
            .order_by(CASES.c.number, EVENTS.c.position)
        )
        rows = self._connection.execution_options(yield_per=FETCHED).execute(query)
        for _, of_case in groupby(rows, itemgetter(0)):
            found = list(of_case)
            yield found[0][1], [body for _, _, body in found]

    def facts_of(self, case_id: str) -> list[bytes]:
        """The events of one case, oldest position first."""
        query = select(EVENTS.c.body).where(EVENTS.c.case_id == case_id).order_by(EVENTS.c.position)
        return list(self._connection.execute(query).scalars())

    def cases_named(self, name: str, limit: int) -> list[str]:
        """Cases whose id begins with `name`, or that a number `name` points to; at most `limit`."""
        by_id = select(CASES.c.case_id).where(CASES.c.case_id.startswith(name, autoescape=True))
        by_number = select(REFERENCES.c.case_id).where(REFERENCES.c.number == name)
        return sorted(self._connection.execute(by_id.union(by_number).limit(limit)).scalars())


@contextmanager
def open_store_snapshot(address: str) -> Iterator[StoreSnapshot]:
    """The state now of the store at `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`, whoever else has it open.

    Raises `StorageFailed` when there is no store, or when it cannot be read; never with a password in it.
    """
    url = parsed(address, _PURPOSE)
    _require_file(url)
    engine = open_engine(url, _PURPOSE, connections=1, reading=True)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(EVENTS.name):
                raise StorageFailed(f"{shown(engine)}: there is no store here; give the address that the workers have")
            yield StoreSnapshot(connection)
    except SQLAlchemyError as error:
        raise storage_failed(error, shown(engine)) from error
    finally:
        engine.dispose()


def _require_file(url: URL) -> None:
    """Reading a mistyped file must not create it."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise StorageFailed(f"{url.database}: there is no store here; give the address that the workers have")
