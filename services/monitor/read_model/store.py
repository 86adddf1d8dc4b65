"""Writes batches of the log into the tables, each with the position it brings the stream to, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.exc import SQLAlchemyError

from ccr_events.core.model import Fact
from services.engine.ports import Alertable
from services.engine.sql.database import Purpose, cause_of, inserting, open_engine, parsed, shown
from services.monitor.read_model.migrating import READ_MODEL
from services.monitor.read_model.rows import Row, event_row, link_row, transition_row
from services.monitor.read_model.tables import EVENTS, LINKS, POSITIONS, TRANSITIONS

EVENTS_STREAM, LINKS_STREAM = "events", "links"
"""Streams as `positions` names them."""
MAX_BATCH = 1_000
"""Rows written in one transaction at most."""


class ReadModelRefused(RuntimeError):
    """The database cannot serve as the read model; says why and what to do, and never the password in its address."""


PURPOSE = Purpose("the read model", ReadModelRefused)
"""What its database is opened for."""


class ReadModel:
    """The tables of one database. Synchronous: call it from a thread of its own.

    A batch that was written already is left out, so projecting again from any earlier position changes nothing; of two
    processes that project the same partition, the one that comes second writes nothing twice.
    """

    def __init__(self, engine: Engine) -> None:
        """Of `open_read_model`."""
        self._engine = engine

    def position(self, stream: str, partition: int = 0) -> int:
        """The newest position in the tables; 0 when none is."""
        with self._transaction() as connection:
            return _position(connection, stream, partition)

    def put_events(self, batch: Sequence[tuple[int, Fact]], partition: int = 0) -> int:
        """Project (position, event) pairs, oldest first, at most `MAX_BATCH`; returns how many were new."""
        with self._transaction() as connection:
            new = _unseen(connection, EVENTS_STREAM, partition, [position for position, _ in batch])
            rows = [event_row(fact) for position, fact in batch if position in new]
            _put(connection, EVENTS, rows, only_new=True)
            return len(rows)

    def put_transitions(self, batch: Sequence[Alertable], partition: int = 0) -> int:
        """Project link transitions, oldest first, at most `MAX_BATCH`; returns how many were new.

        A link's row is as its newest transition left it.
        """
        with self._transaction() as connection:
            new = _unseen(connection, LINKS_STREAM, partition, [told.seq for told in batch])
            fresh = [told for told in batch if told.seq in new]
            newest = {told.transition.link.id: link_row(told.transition.link, told.seq) for told in fresh}
            _put(connection, LINKS, list(newest.values()), only_new=False)
            _put(connection, TRANSITIONS, [transition_row(told) for told in fresh], only_new=True)
            return len(fresh)

    def close(self) -> None:
        """Close its connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with _refusals(self._engine), self._engine.begin() as connection:
            yield connection


def open_read_model(address: str) -> ReadModel:
    """The read model at an address such as `sqlite:///ccr-data/read-model.sqlite` or
    `postgresql://ccr@database/ccr`, its tables brought to this release's version.

    Raises `ReadModelRefused`.
    """
    engine = open_engine(parsed(address, PURPOSE), PURPOSE)
    try:
        with _refusals(engine), engine.begin() as connection:
            READ_MODEL.migrate(connection, lambda why: ReadModelRefused(f"{shown(engine)}: {why}"))
    except BaseException:
        engine.dispose()
        raise
    return ReadModel(engine)


@contextmanager
def _refusals(engine: Engine) -> Iterator[None]:
    """What the database refuses, as `ReadModelRefused`; the driver's own words may quote what was written."""
    try:
        yield
    except SQLAlchemyError as error:
        raise ReadModelRefused(
            f"{shown(engine)}: the database refused ({cause_of(error)}); see that it runs, that this user may "
            "write there and that its disk has room. The log has everything: projecting goes on where it stopped"
        ) from error


def _position(connection: Connection, stream: str, partition: int, *, lock: bool = False) -> int:
    query = select(POSITIONS.c.last).where(POSITIONS.c.stream == stream, POSITIONS.c.partition == partition)
    return connection.execute(query.with_for_update() if lock else query).scalar() or 0


def _unseen(connection: Connection, stream: str, partition: int, positions: Sequence[int]) -> frozenset[int]:
    """Which of these positions are not in the tables; notes that they are from now on.

    The row of the stream is locked until the transaction ends, so that of two projections of one partition the second
    waits and then sees what the first wrote.
    """
    if len(positions) > MAX_BATCH:
        raise ValueError(f"a batch holds at most {MAX_BATCH} rows; this one has {len(positions)}")
    if not positions:
        return frozenset()
    _put(connection, POSITIONS, [{"stream": stream, "partition": partition, "last": 0}], only_new=True)
    last = _position(connection, stream, partition, lock=True)
    if positions[-1] > last:
        moved = POSITIONS.update().where(POSITIONS.c.stream == stream, POSITIONS.c.partition == partition)
        connection.execute(moved.values(last=positions[-1]))
    return frozenset(position for position in positions if position > last)


def _put(connection: Connection, table: Table, rows: Sequence[Row], *, only_new: bool) -> None:
    """Insert rows; one whose key is there stays as it is (`only_new`) or is replaced."""
    if not rows:
        return
    insert = inserting(connection.dialect.name, table)
    keys = list(table.primary_key.columns)
    if only_new:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    else:
        others = {c.name: insert.excluded[c.name] for c in table.columns if not c.primary_key}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=others)
    connection.execute(statement, list(rows))
