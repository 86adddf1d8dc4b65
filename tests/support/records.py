"""Records for the log made of invented facts, and an observer that listens to nobody."""

from __future__ import annotations

from hashlib import sha256

from ccr_events.core.model import Fact
from ccr_events.envelope import Event, encode_record, fact_of, recorded_form
from services.casebook.recorder import Casebook
from services.engine.transaction import NewRecord, Transaction
from tests.support.core_rules import BOOK


def record(f: Fact, *, alerting: bool = True) -> NewRecord:
    """The fact as intake would append it."""
    event = Event(f.id, "/tests", f.type, f.occurred_at, dict(f.data), corrects=f.corrects)
    form = recorded_form(
        event, case_id=f.case_id, agency=f.agency, recorded_at=f.recorded_at, edition=f.edition, data=event.data
    )
    body = encode_record(form)
    return NewRecord(fact_of(form), body, sha256(body).digest(), alerting)


class Silent:
    """Implements `services.engine.ports.Observer`."""

    def accepted(self, event_type: str, agency: str) -> None: ...
    def refused(self, agency: str, status: str) -> None: ...
    def published(self, seconds: float) -> None: ...
    def folded(self, seconds: float) -> None: ...
    def sealed_read(self, label: str, agency: str, outcome: str) -> None: ...
    def alerted(self, seconds: float) -> None: ...


CASEBOOK = Casebook(BOOK, Silent())


def append_all(tx: Transaction, facts: list[Fact]) -> list[int]:
    """Append those that are not on the log, as intake would."""
    return [CASEBOOK.append(tx, record(f)) for f in facts if tx.events.find(f.id) is None]
