"""The scripted week as records of the log, and what the embedded engine makes of them: what Kafka is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ccr_events.core.codec import encode_transition, encode_view
from ccr_events.core.model import Fact
from ccr_events.envelope import encode_record, read_fact
from ccr_events.envelope.wire import instant_text
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.recorder import Casebook
from services.demo.acts import acts, ends_at
from services.demo.scenario import load_week
from services.engine.kafka.outgoing import EventRecord, event_record
from services.engine.sqlite import open_engine
from services.engine.transaction import NewRecord
from tests.support.core_week import CoreWeek
from tests.support.records import Silent


@dataclass
class _Recorded(CoreWeek):
    """Notes what was published, answered, decided and fired; not what the casebook appends by itself."""

    told: list[Fact] = field(default_factory=list)
    _depth: int = 0

    def fold(self, fact: Fact) -> None:
        if not self._depth:
            self.told.append(fact)
        self._depth += 1
        super().fold(fact)
        self._depth -= 1


def new_record(fact: Fact, *, alerting: bool = True) -> NewRecord:
    """A fact as intake would put it on the log, nothing of it sealed."""
    form = {
        "specversion": "1.0",
        "id": fact.id,
        "source": fact.source,
        "type": fact.type,
        "time": instant_text(fact.occurred_at),
        "datacontenttype": "application/json",
        "schemaver": 1,
        "caseid": fact.case_id,
        "agency": fact.agency,
        "recordedtime": instant_text(fact.recorded_at),
        "policyversion": fact.edition,
        "data": fact.data,
    }
    if fact.corrects is not None:
        form["corrects"] = fact.corrects
    body = encode_record(form)
    return NewRecord(read_fact(body), body, sha256(body).digest(), alerting)


def week_records(policies: PolicyBook, *, deadlines: bool = True) -> list[NewRecord]:
    """The week, in order. `deadlines`: with those that were reached in it."""
    week = load_week()
    script = acts(week, 1)
    played = _Recorded(policies, week.county.zone)
    played.play(script, ends_at(week))
    return [new_record(fact) for fact in played.told if deadlines or fact.type != "link.deadline_reached"]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the embedded engine made of the records."""

    log: Sequence[EventRecord]
    """Every event, those the casebook appended among them, in the log's order."""
    transitions: dict[str, bytes]
    """By id, as they are encoded."""
    views: dict[str, bytes]
    """By case, as they are encoded."""


async def embedded_fold(directory: Path, records: Sequence[NewRecord], policies: PolicyBook) -> Embedded:
    """Append and fold records in order on an embedded engine of its own."""
    casebook = Casebook(policies, Silent())
    async with open_engine(directory) as engine:
        for record in records:
            await engine.writer.write(lambda tx, record=record: casebook.append(tx, record))
        log = await engine.log.read(0, 100_000)
        last = await engine.alerts.last_seq()
        told: dict[str, bytes] = {}
        seen = 0
        async for page in engine.alerts.follow(0):
            for each in page:
                told[each.transition.id] = encode_transition(each.transition)
            seen += len(page)
            if seen >= last:
                break
        cases = {record.case_id for record in log}
        views = await engine.writer.read(lambda tx: {case: encode_view(tx.views.get(case)) for case in cases})
    return Embedded([event_record(r.case_id, r.body, alerting=True) for r in log], told, views)


def packaged_policies() -> PolicyBook:
    """Those that ship with the backbone."""
    return load_policies(None)
