"""The scripted week as records of the log, and what the embedded engine makes of them: what Kafka is compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from ccr_events.core.codec import encode_transition, encode_view
from ccr_events.core.model import Fact
from ccr_events.envelope import Event, encode_record, read_fact
from ccr_events.envelope.wire import instant_text
from ccr_events.policy import PolicyBook, load_policies
from services.casebook.recorder import Casebook
from services.demo.acts import acts, ends_at
from services.demo.scenario import load_week
from services.engine.kafka.outgoing import EventRecord, event_record
from services.engine.ports import LogRecord
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.sqlite.queries import MAX_RECORDS
from services.engine.transaction import NewRecord
from tests.support.core_week import CoreWeek
from tests.support.records import Silent

AT_ONCE = 500
"""Records appended in one transaction."""


@dataclass
class _Recorded(CoreWeek):
    """Notes what was published, answered, decided and fired; not what the casebook appends by itself."""

    told: list[Fact] = field(default_factory=list)
    prefix: str = ""
    """Of its cases: weeks of several seeds are told apart by it."""
    _depth: int = 0

    def _resolve(self, history: str, event: Event, data: dict[str, Any]) -> str:
        case_id = super()._resolve(history, event, data)
        if case_id.startswith(self.prefix):
            return case_id
        named = self.prefix + case_id
        self._cases[history] = [named if each == case_id else each for each in self._cases[history]]
        self._case_of = {key: named if each == case_id else each for key, each in self._case_of.items()}
        return named

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


def week_records(policies: PolicyBook, seed: int = 1) -> list[NewRecord]:
    """The week, in order, with the deadlines that were reached in it."""
    week = load_week()
    played = _Recorded(policies, week.county.zone, prefix=f"{seed}-")
    played.play(acts(week, seed), ends_at(week))
    return [new_record(fact) for fact in played.told]


def weeks_records(policies: PolicyBook, count: int) -> list[NewRecord]:
    """Weeks of so many seeds, one after another. What they share (documents) is there once, in the first."""
    records = {r.fact.id: r for seed in range(count, 0, -1) for r in reversed(week_records(policies, seed))}
    return list(reversed(records.values()))


@dataclass(frozen=True, slots=True)
class Embedded:
    """What the embedded engine made of the records."""

    log: Sequence[EventRecord]
    """Every event, those the casebook appended among them, in the log's order."""
    transitions: dict[str, bytes]
    """By id, as they are encoded, in the order in which they are told."""
    views: dict[str, bytes]
    """By case, as they are encoded."""


async def embedded_fold(directory: Path, records: Sequence[NewRecord], policies: PolicyBook) -> Embedded:
    """Append and fold records in order on an embedded engine of its own."""
    casebook = Casebook(policies, Silent())
    async with open_engine(directory) as engine:
        for first in range(0, len(records), AT_ONCE):
            appending = (partial(casebook.append, record=record) for record in records[first : first + AT_ONCE])
            await asyncio.gather(*(engine.writer.write(append) for append in appending))
        made, _ = await made_by(engine)
    return made


async def made_by(engine: SqliteEngine) -> tuple[Embedded, list[int]]:
    """All that an engine holds, and the position of each event of its log."""
    log: list[LogRecord] = []
    while some := await engine.log.read(log[-1].position if log else 0, MAX_RECORDS):
        log += some
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
    made = Embedded([event_record(r.case_id, r.body, alerting=True) for r in log], told, views)
    return made, [record.position for record in log]


def packaged_policies() -> PolicyBook:
    """Those that ship with the backbone."""
    return load_policies(None)
