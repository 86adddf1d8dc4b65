"""The stores of one connection. Implements `services.engine.transaction.Transaction`."""

from __future__ import annotations

from sqlalchemy import update

from services.engine.sql.absent import NoDeadlines, NoOutbox, NoRewriting
from services.engine.sql.api_keys import SqlApiKeys
from services.engine.sql.aside import Aside
from services.engine.sql.audit import SqlAudit
from services.engine.sql.case_index import SqlCaseIndex
from services.engine.sql.events import SqlEvents
from services.engine.sql.links import SqlLinks
from services.engine.sql.outgoing import Outgoing, OutgoingRecord
from services.engine.sql.quarantine import SqlQuarantine
from services.engine.sql.session import Executing, Session
from services.engine.sql.tables import COUNTERS
from services.engine.sql.turn import EVENTS_COUNTER, Turn, TurnLock
from services.engine.sql.views import Afresh, SqlViews


class Reading:
    """The stores, for queries: whatever would write raises `TypeError`."""

    def __init__(self, reading: Executing) -> None:
        aside = Aside(None)
        self.events = SqlEvents(reading, None)
        self.links = SqlLinks(reading)
        self.views = SqlViews(self.events, self.links)
        self.cases = SqlCaseIndex(reading, None)
        self.quarantine = SqlQuarantine(reading, aside)
        self.api_keys = SqlApiKeys(reading, aside)
        self.audit = SqlAudit(reading, aside)
        self.deadlines, self.outbox, self.rewriting = NoDeadlines(), NoOutbox(), NoRewriting()


class Writing:
    """The stores, for one work of a group after the other; lives as long as its writer."""

    def __init__(self, session: Session, lock: TurnLock, outgoing: Outgoing | None, afresh: Afresh) -> None:
        self._session = session
        self._aside = Aside(session)
        self.turn = Turn(session, lock, outgoing, self._turn_began)
        self.events = SqlEvents(session, self.turn)
        self.links = SqlLinks(session)
        self.views = SqlViews(self.events, self.links, afresh)
        self.cases = SqlCaseIndex(session, self.turn)
        self.quarantine = SqlQuarantine(session, self._aside)
        self.api_keys = SqlApiKeys(session, self._aside)
        self.audit = SqlAudit(session, self._aside)
        self.deadlines, self.outbox, self.rewriting = NoDeadlines(), NoOutbox(), NoRewriting()

    def settle(self) -> None:
        """The current work succeeded."""
        self._session.settle()
        self.views.next_work()
        self.events.settle()
        self.cases.settle()

    def take_back(self) -> None:
        """The current work failed: everything as it was before it."""
        self._session.take_back()
        self.views.next_work()
        self.events.take_back()
        self.cases.take_back()

    def store(self) -> list[OutgoingRecord]:
        """Write what the group kept, in the transaction; returns the events to send once it is committed."""
        sent = self.events.store(self._session)
        changed = self.cases.store(self._session, self.events.cases)
        if sent or changed:
            moved = update(COUNTERS).where(COUNTERS.c.name == EVENTS_COUNTER)
            if sent:
                moved = moved.values(last=sent[-1].position, recorded_at=self.events.newest_recorded_at())
            if changed:
                moved = moved.values(owner=self.turn.owner)
            self._session.execute(moved)
        return sent

    def landed(self) -> None:
        """What was stored is committed."""
        self._aside.ended()
        self.cases.landed()
        self.events.landed()

    def forget(self) -> None:
        """The group failed, or may have failed: what is in memory may not be on disk."""
        self._aside.ended()
        self.views.next_work()
        self.cases.forget()
        self.events.forget()

    def _turn_began(self, continued: bool) -> None:
        if not continued:
            self.cases.forget_answers()
            self.events.forget_answers()
