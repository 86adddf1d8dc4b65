"""What is derived from the log of one case, written anew in the writer's transaction. Log and outbox stay as they are.

Implements `services.engine.transaction.CaseRewriting`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ccr_events.core.model import Fact
from ccr_events.core.view import CaseView
from services.engine.ports import LogRecord
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.events import SqliteEvents, case_range
from services.engine.sqlite.ids import hash_of
from services.engine.sqlite.links import SqliteLinks
from services.engine.sqlite.savepoint import Savepoint
from services.engine.sqlite.schema import MAX_POSITION, POSITION_BITS
from services.engine.sqlite.snapshot import positions_of
from services.engine.sqlite.views import SqliteViews

_DELETE_LINK = """
DELETE FROM links WHERE link_number IN (SELECT number FROM link_numbers WHERE hash = ?) AND link_id = ?"""


class SqliteRewriting:
    """Facts and links replaced at once, inside the savepoint of the current work."""

    __slots__ = ("_cases", "_connection", "_events", "_links", "_savepoint", "_views")

    def __init__(
        self,
        connection: Executing,
        cases: CaseNumbers,
        events: SqliteEvents,
        links: SqliteLinks,
        views: SqliteViews,
        savepoint: Savepoint,
    ) -> None:
        self._connection = connection
        self._cases = cases
        self._events = events
        self._links = links
        self._views = views
        self._savepoint = savepoint

    def positions(self, case_ids: Collection[str]) -> dict[str, list[int]]:
        """Case id → the log positions of its events, read from the log alone."""
        return positions_of(self._connection, case_ids)

    def records(self, case_id: str, positions: Collection[int]) -> list[LogRecord]:
        """The records of a case: those at `positions`, and those filed under it by now; oldest position first."""
        found = {record.position: record for record in self._events.of_case(case_id)}
        for position in positions:
            if position not in found:
                row = self._connection.execute(
                    "SELECT position, event_id, case_id, body FROM events WHERE position = ?", (position,)
                ).fetchone()
                if row is not None:
                    found[position] = LogRecord(*row)
        return [record for _, record in sorted(found.items()) if record.case_id == case_id]

    def put(self, view: CaseView, facts: Mapping[int, Fact]) -> None:
        """All that is kept of a case is this view; `facts` by position. Its links are put through `LinkStore`."""
        number, before = self._cases.of(view.case_id), self._views.get(view.case_id)
        waiting = {record.event_id for record in self._events.of_case(view.case_id)} - self._on_disk(number)
        self._savepoint.write("DELETE FROM facts WHERE key BETWEEN ? AND ?", case_range(number))
        for position, fact in facts.items():
            if fact.id not in waiting:  # events of this group bring their facts themselves
                key = number << POSITION_BITS | position
                self._savepoint.write("INSERT INTO facts (key) VALUES (?)", (key,))
        self._savepoint.write("DELETE FROM links WHERE held_by = ?", (number,))
        for link_id in view.links:
            self._savepoint.write(_DELETE_LINK, (hash_of(link_id), link_id))
        self._links.remove(view.case_id, [i for i in before.links if i not in view.links])
        self._links.put(view.case_id, view.links.values())
        self._views.put(view)

    def sweep(self) -> None:
        """Take away facts and links filed under numbers that no case has."""
        for table, number in (("facts", f"key >> {POSITION_BITS}"), ("links", "held_by")):
            self._savepoint.write(f"DELETE FROM {table} WHERE {number} NOT IN (SELECT number FROM cases)", ())  # noqa: S608

    def _on_disk(self, number: int) -> set[str]:
        rows = self._connection.execute(
            f"SELECT event_id FROM facts JOIN events ON position = key & {MAX_POSITION} WHERE key BETWEEN ? AND ?",  # noqa: S608
            case_range(number),
        )
        return {event_id for (event_id,) in rows}
