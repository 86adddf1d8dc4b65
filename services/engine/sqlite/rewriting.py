"""Facts and links derived anew from the log, in one transaction: for `rebuild`. Log and outbox stay as they are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ccr_events.core.codec import encode_fact
from ccr_events.core.model import Fact, Link
from services.engine.sqlite.database import DATABASE, CommitMark, DirectoryLock, connect, prepare
from services.engine.sqlite.events import last_position, stored_facts
from services.engine.sqlite.failure import storage_failed
from services.engine.sqlite.links import link_row, store_links
from services.engine.sqlite.schema import POSITION_BITS
from services.engine.transaction import StorageFailed


class Rewriting:
    """A data directory without facts and links, being filled again."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {
            case_id: number for number, case_id in connection.execute("SELECT number, case_id FROM cases")
        }

    def events(self) -> int:
        """How many events the log holds."""
        return last_position(self._connection)

    def log(self) -> Iterator[tuple[int, bytes]]:
        """(position, body) of every event, oldest first."""
        return self._connection.execute("SELECT position, body FROM events ORDER BY position")

    def put_fact(self, position: int, fact: Fact) -> None:
        """The fact of the event at `position`."""
        number = self._numbers.get(fact.case_id)
        if number is None:
            number = self._numbers[fact.case_id] = max(self._numbers.values(), default=0) + 1
            self._connection.execute("INSERT INTO cases (number, case_id) VALUES (?, ?)", (number, fact.case_id))
        self._connection.execute(
            "INSERT INTO facts (key, body) VALUES (?, ?)", (number << POSITION_BITS | position, encode_fact(fact))
        )

    def cases(self) -> Iterator[tuple[str, dict[str, Fact]]]:
        """(case id, its facts) of every case, once all facts are put."""
        for case_id, number in self._numbers.items():
            yield case_id, stored_facts(self._connection, number)

    def put_case(self, case_id: str, links: Iterable[Link], merged_into: str | None) -> None:
        """The links of a case, and where it was merged into."""
        store_links(self._connection, [link_row(self._numbers[case_id], link) for link in links])
        if merged_into is not None:
            self._connection.execute("INSERT INTO forwards VALUES (?, ?)", (case_id, merged_into))


@contextmanager
def open_rewriting(directory: Path) -> Iterator[Rewriting]:
    """Take facts, links and merges away and offer to fill them again; all of it is kept, or on any error nothing.

    Raises `StorageFailed` when a process has the directory open.
    """
    if not (directory / DATABASE).is_file():
        raise StorageFailed(f"{directory}: there is no data here; name the directory with --data")
    lock = DirectoryLock(directory)
    try:
        path = prepare(directory)
        mark, connection = CommitMark(directory), connect(path)
        try:
            connection.execute("BEGIN IMMEDIATE")
            for table in ("facts", "links", "forwards"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
            yield Rewriting(connection)
            number = connection.execute("UPDATE commits SET number = number + 1 RETURNING number").fetchone()[0]
            connection.execute("COMMIT")
            mark.write(number)
        except sqlite3.Error as error:
            raise storage_failed(error, path) from error
        finally:
            connection.close()  # an open transaction is rolled back
            mark.close()
    finally:
        lock.release()
