"""Word of new outbox positions, from this process and from others, for whoever follows.

What this process commits is passed on at once. Of others PostgreSQL tells (LISTEN); SQLite is asked whether its file
changed, which costs microseconds. And every now and then the table itself is asked, in case a word was lost.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from ccr_events.core.codec import decode_transition
from services.engine.following import PAGE, Following
from services.engine.ports import Alertable
from services.engine.sql.database import cause_of, shown
from services.engine.sql.projecting import CHANNEL
from services.engine.sql.session import Executing
from services.engine.sql.tables import COUNTERS, OUTBOX
from services.engine.sql.turn import OUTBOX_COUNTER

LOOK_S = 1.0
"""How often the table is asked, whatever was heard."""
CHANGED_S = 0.02
"""How often SQLite is asked whether another process wrote."""
CLOSED_S = 0.1
"""How often whoever waits for PostgreSQL's word looks whether it is to end."""
RETRY_S = 1.0
"""Wait after the database did not answer."""

_log = logging.getLogger(__name__)


class Hearing:
    """One thread that keeps `following` up to date."""

    def __init__(self, reading: Engine, following: Following, newest: int) -> None:
        """`newest`: the outbox position up to which `following` has been told."""
        self._reading = reading
        self._following = following
        self.lock = threading.RLock()
        """Whoever commits transitions in this process holds it until they are passed on: nobody else hears before."""
        self._newest = newest
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ccr-sql-hearing", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def committed(self, told: Sequence[Alertable]) -> None:
        """This process committed these."""
        with self.lock:
            if told[0].seq == self._newest + 1:
                self._tell(told)
                return
        # Another process committed before, and was not heard yet: both are read.
        with suppress(SQLAlchemyError), self._reading.connect() as connection:
            self._catch_up(connection)

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _tell(self, told: Sequence[Alertable]) -> None:
        self._newest = told[-1].seq
        self._following.committed(list(told))

    def _catch_up(self, connection: Connection) -> None:
        """Read what is beyond the newest that was told."""
        while True:
            with self.lock:
                page = stored_page(connection, self._newest, PAGE)
                if page:
                    self._tell(page)
            connection.rollback()  # the next look sees what was committed meanwhile
            if len(page) < PAGE:
                return

    def _run(self) -> None:
        listen = _listen if self._reading.dialect.name == "postgresql" else _watch
        while not self._closing.is_set():
            try:
                with self._reading.connect() as connection:
                    listen(connection, self._closing, lambda c=connection: self._catch_up(c))  # type: ignore[misc]
            except Exception as error:  # whatever it is, alerts must not fall silent for good
                kind = cause_of(error) if isinstance(error, SQLAlchemyError) else type(error).__name__
                _log.warning("%s: new alerts cannot be heard of (%s); trying again", shown(self._reading), kind)
                self._closing.wait(RETRY_S)


def _listen(connection: Connection, closing: threading.Event, catch_up: Callable[[], None]) -> None:
    """On PostgreSQL."""
    driver: Any = connection.connection.driver_connection
    connection.exec_driver_sql(f"LISTEN {CHANNEL}")
    connection.commit()
    driver.autocommit = True
    try:
        while not closing.is_set():
            driver.autocommit = False
            catch_up()
            driver.autocommit = True
            heard, until_s = False, monotonic() + LOOK_S
            while not (heard or closing.is_set() or monotonic() >= until_s):
                heard = any(True for _ in driver.notifies(timeout=CLOSED_S, stop_after=1))
    finally:
        connection.invalidate()


def _watch(connection: Connection, closing: threading.Event, catch_up: Callable[[], None]) -> None:
    """On SQLite."""
    cursor = connection.connection.cursor()
    version, looked_s = None, 0.0
    try:
        while not closing.wait(CHANGED_S):
            now_version = cursor.execute("PRAGMA data_version").fetchone()
            if now_version != version or monotonic() - looked_s >= LOOK_S:
                version, looked_s = now_version, monotonic()
                catch_up()
    finally:
        cursor.close()


def stored_page(reading: Executing, after: int, limit: int) -> list[Alertable]:
    """At most `limit` transitions after a position, oldest first, as they are stored."""
    columns = (OUTBOX.c.seq, OUTBOX.c.body, OUTBOX.c.recorded_at, OUTBOX.c.alerting)
    rows = reading.execute(select(*columns).where(OUTBOX.c.seq > after).order_by(OUTBOX.c.seq).limit(limit))
    return [Alertable(seq, decode_transition(body), at, loud) for seq, body, at, loud in rows]


def last_seq(reading: Executing) -> int:
    """Newest outbox position; 0 when empty."""
    last: int = reading.execute(select(COUNTERS.c.last).where(COUNTERS.c.name == OUTBOX_COUNTER)).scalar_one()
    return last
