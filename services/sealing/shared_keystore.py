"""The key store that many workers on many machines share: tables in a database of their own.
Implements `services.sealing.keys.Keys`.

New keys are durable before the events they seal, as everywhere: `flush` commits them, and the engine calls it before
each commit of the log. Of two workers that make the same key at once the second is refused and tries again. A key that
was moved or destroyed by another worker is noticed before the next event is sealed, and by readers within `TRUSTED_S`.

PostgreSQL overwrites nothing in place: a destroyed key leaves the table with the vacuum that follows at once, and the
write-ahead log and the backups of this database when those expire. Keep them for as short a time as recovery needs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ccr_events.codes.backbone import KeyRing
from services.engine.sql.database import cause_of, inserting
from services.sealing.key_tables import DATA_KEYS, MASTER, KeyTables, open_key_tables
from services.sealing.keys import KeyStoreError, KeyUnavailable, WrongMasterKey
from services.sealing.master_key import MasterKey
from services.sealing.wrapping import Unwrapped, Wrapping, wrong_master_key

TRUSTED_S = 1.0
"""How long a key in memory is used for reading before it is asked whether any was moved or destroyed."""
AT_ONCE = 500
"""Keys stored by one statement."""
CLEARING = {"postgresql": "VACUUM data_keys", "sqlite": "PRAGMA wal_checkpoint(TRUNCATE)"}
"""What takes a deleted value off the disk, by kind of database, as far as that can be told to."""
# Made once: to make a statement costs more than to run it.
_ROW = select(DATA_KEYS.c.ring, DATA_KEYS.c.wrapped).where(
    DATA_KEYS.c.case_id == bindparam("a_case"), DATA_KEYS.c.label == bindparam("a_label")
)
_MOVES = select(MASTER.c.moves)

T = TypeVar("T")
_log = logging.getLogger(__name__)


class SharedKeyStore:
    """Data keys by (case id, label), in a database. Synchronous and thread-safe; `open_shared_keys` makes it."""

    def __init__(self, tables: KeyTables, master: MasterKey) -> None:
        """Of tables that are there. Raises `WrongMasterKey` or `KeyStoreError`."""
        self._tables = tables
        self._reading: Connection | None = None
        self._wrapping = Wrapping(master)
        self._lock = Lock()
        self._cache = Unwrapped()
        self._unflushed: dict[tuple[str, str], bytes] = {}
        self._moves = -1
        """How often keys had been moved when the cache was last known to be right."""
        self._checked_s = 0.0
        self._sealing = False
        """Whether a key was asked for to seal with since the last flush."""
        self._refused = False
        """Whether the newest write failed."""
        self._prove()

    def __repr__(self) -> str:
        return f"SharedKeyStore({self._tables.where!r})"

    def key(self, case_id: str, label: str) -> AESGCM:
        """The data key to seal with, made now when there is none; durable after `flush`.

        Raises `KeyUnavailable` when it was destroyed, `KeyStoreError` when the database does not answer.
        """
        with self._lock:
            if not self._sealing:
                self._look_for_moves(trusted_s=0.0)
                self._sealing = True
            known = self._known(case_id, label)
            if known is None:
                known, self._unflushed[case_id, label] = self._wrapping.new(case_id, label)
                self._cache.keep(case_id, label, known)
            return known

    def existing(self, case_id: str, label: str) -> AESGCM:
        """The data key to open with; raises `KeyUnavailable` when it never was or was destroyed, and
        `KeyStoreError`."""
        with self._lock:
            self._look_for_moves(trusted_s=TRUSTED_S)
            known = self._known(case_id, label)
        if known is None:
            raise KeyUnavailable(f"there is no {label} key for this case: was the key store restored from a backup?")
        return known

    def ring(self, case_id: str, label: str) -> KeyRing | None:
        """Where the key lies now; None when there never was one. Raises `KeyStoreError`."""
        with self._lock:
            if (case_id, label) in self._unflushed:
                return KeyRing.OPEN
            row = self._row(case_id, label)
        return None if row is None else KeyRing(row[0])

    def move(self, case_id: str, to: KeyRing) -> None:
        """Move every key of a case to a ring, durably and for every worker; `destroyed` deletes them for good.

        Raises `KeyStoreError`.
        """
        lost = {"wrapped": None} if to is KeyRing.DESTROYED else {}
        moved = DATA_KEYS.update().where(DATA_KEYS.c.case_id == case_id, DATA_KEYS.c.ring != KeyRing.DESTROYED.value)

        def work(connection: Connection) -> None:
            connection.execute(MASTER.update().values(moves=MASTER.c.moves + 1))
            connection.execute(moved.values(ring=to.value, **lost))

        with self._lock:
            self._flush()
            self._cache.drop_case(case_id)
            self._written(work)
        if to is KeyRing.DESTROYED:
            self._vacuum()

    def reach(self) -> str | None:
        """Why keys cannot be read now, or made durable where the newest were not; None when they can."""
        try:
            with self._lock:
                self._look_for_moves(trusted_s=0.0)
                if self._refused:
                    self._written(_write_nothing_new)
        except KeyStoreError as error:
            return str(error)
        return None

    def flush(self) -> None:
        """Make new keys durable. Raises `KeyStoreError`; then nothing that was sealed with them may be committed."""
        with self._lock:
            self._sealing = False
            self._flush()

    def close(self) -> None:
        """Flush and close the connections."""
        with self._lock:
            try:
                self._flush()
            finally:
                self._cache.clear()
                self._left()
                self._tables.dispose()

    def _flush(self) -> None:
        if not self._unflushed:
            return
        new, self._unflushed = self._unflushed, {}
        try:
            self._written(lambda connection: _store(connection, new))
        except KeyStoreError:
            # What was sealed with them is not committed either: they are made anew.
            for case_id, _ in new:
                self._cache.drop_case(case_id)
            raise

    def _known(self, case_id: str, label: str) -> AESGCM | None:
        if (cached := self._cache.get(case_id, label)) is not None:
            return cached
        wrapped = self._unflushed.get((case_id, label))
        if wrapped is None:
            row = self._row(case_id, label)
            if row is None:
                return None
            wrapped = row[1]
        return self._cache.keep(case_id, label, self._wrapping.opened(case_id, label, wrapped, self._tables.where))

    def _row(self, case_id: str, label: str) -> tuple[str, bytes | None] | None:
        asked = {"a_case": case_id, "a_label": label}
        row = self._asked(lambda connection: connection.execute(_ROW, asked).one_or_none())
        return None if row is None else (row.ring, row.wrapped)

    def _look_for_moves(self, *, trusted_s: float) -> None:
        now_s = monotonic()
        if now_s - self._checked_s < trusted_s:
            return
        moves = self._asked(lambda connection: connection.execute(_MOVES).scalar_one())
        if moves != self._moves:
            self._cache.clear()
        self._moves, self._checked_s = moves, now_s

    def _prove(self) -> None:
        def work(connection: Connection) -> bytes:
            made = inserting(connection.dialect.name, MASTER).values(one=1, proof=self._wrapping.proof, moves=0)
            connection.execute(made.on_conflict_do_nothing())
            kept: bytes = connection.execute(select(MASTER.c.proof)).scalar_one()
            return kept

        if not self._wrapping.is_proven(self._written(work)):
            raise WrongMasterKey(wrong_master_key(self._tables.where))

    def _asked(self, query: Callable[[Connection], T]) -> T:
        """Ask over a connection that is kept, for one way there and back."""

        def once() -> T:
            if self._reading is None:
                self._reading = self._tables.reading.connect()
            try:
                answer = query(self._reading)
                self._reading.rollback()  # else it would see the same state of the keys for ever
            except BaseException:
                self._left()
                raise
            return answer

        return self._tried(once)

    def _written(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with self._tables.writing.begin() as connection:
                return work(connection)

        self._refused = True
        done = self._tried(once)
        self._refused = False
        return done

    def _tried(self, once: Callable[[], T]) -> T:
        """Once more on a new connection when the old one was cut meanwhile: all of it may be done twice."""
        try:
            try:
                return once()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return once()
        except SQLAlchemyError as error:
            raise KeyStoreError(
                f"the key store {self._tables.where} refused ({cause_of(error)}): see that the database runs, that "
                "this user may write there and that its disk has room"
            ) from error

    def _left(self) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            with suppress(SQLAlchemyError):
                reading.close()

    def _vacuum(self) -> None:
        """Take what was destroyed off the disk, as far as the database lets us."""
        statement = CLEARING[self._tables.writing.dialect.name]
        try:
            # Past SQLAlchemy, which would begin a transaction: neither statement may run in one.
            connection = self._tables.writing.raw_connection()
            try:
                connection.rollback()
                driver: Any = connection.driver_connection
                if self._tables.writing.dialect.name == "postgresql":
                    driver.autocommit = True
                driver.execute(statement)
            finally:
                connection.invalidate()
        except Exception as error:  # SQLAlchemy's, or the driver's own
            _log.error(
                "a key was destroyed, but the room it took in %s was not cleared (%s): run %s there",
                self._tables.where,
                type(error).__name__,
                statement,
            )


def open_shared_keys(address: str, master: MasterKey) -> SharedKeyStore:
    """The key store at `sqlite:///FILE` or `postgresql://USER@HOST/NAME`, its tables made when there are none.

    Raises `WrongMasterKey` or `KeyStoreError`.
    """
    tables = open_key_tables(address)
    try:
        return SharedKeyStore(tables, master)
    except BaseException:
        tables.dispose()
        raise


def _write_nothing_new(connection: Connection) -> None:
    """A write, to see whether one is possible."""
    connection.execute(MASTER.update().values(moves=MASTER.c.moves))


def _store(connection: Connection, new: dict[tuple[str, str], bytes]) -> None:
    rows: list[dict[str, object]] = [
        {"case_id": case_id, "label": label, "ring": KeyRing.OPEN.value, "wrapped": wrapped}
        for (case_id, label), wrapped in new.items()
    ]
    for first in range(0, len(rows), AT_ONCE):
        page = rows[first : first + AT_ONCE]
        statement = (
            inserting(connection.dialect.name, DATA_KEYS)
            .values(page)
            .on_conflict_do_nothing()
            .returning(DATA_KEYS.c.case_id)
        )
        if len(connection.execute(statement).all()) < len(page):
            _check_ours(connection, page)


def _check_ours(connection: Connection, page: Sequence[Mapping[str, object]]) -> None:
    """Some of the keys are there already: by an earlier try whose answer was lost, or by another worker."""
    for row in page:
        query = select(DATA_KEYS.c.wrapped).where(
            DATA_KEYS.c.case_id == row["case_id"], DATA_KEYS.c.label == row["label"]
        )
        if connection.execute(query).scalar_one() != row["wrapped"]:
            raise KeyStoreError(
                "another worker made a key for the same case at the same time: nothing was sealed with this one; "
                "send it again"
            )
