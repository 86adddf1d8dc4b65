"""The scripted week through the pure core alone, with the real policies: no storage, no HTTP, no wall clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ccr_events.core import ids
from ccr_events.core.fold import step
from ccr_events.core.model import Fact, Link, Outbound, Transition
from ccr_events.core.view import CaseView
from ccr_events.envelope import Event
from ccr_events.policy import PolicyBook
from ccr_events.skeleton import split
from ccr_events.validation import InvalidPayload, validate
from services.adapters.niem import read_document
from services.demo.acts import Act, Answer, Decide, Ingest, Publish, Redrive
from services.engine.deadlines import pending


@dataclass
class CoreWeek:
    """Plays acts; `transitions` and `views` are what came of them."""

    policies: PolicyBook
    zone: ZoneInfo
    views: dict[str, CaseView] = field(default_factory=dict)
    transitions: list[Transition] = field(default_factory=list)
    quarantined: int = 0
    redriven: int = 0
    duplicates: int = 0
    late_reports: int = 0
    proposals: dict[str, tuple[str, str]] = field(default_factory=dict)
    """History → the two cases that an event named together."""
    _case_of: dict[tuple[str, str], str] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _cases: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _reached: set[tuple[str, int, datetime]] = field(default_factory=set)

    def play(self, acts: Sequence[Act], ends_at: datetime) -> CoreWeek:
        for act in acts:
            self.deadlines(act.at)
            self.act(act)
        self.deadlines(ends_at)
        return self

    def links(self) -> list[Link]:
        return [link for view in self.views.values() for link in view.links.values()]

    def opened(self) -> set[str]:
        return {t.link.rule for t in self.transitions if t.kind == "opened"}

    def kinds(self) -> Counter[str]:
        return Counter(t.kind.value for t in self.transitions)

    def act(self, act: Act) -> None:
        match act:
            case Publish(expected="quarantined"):
                try:
                    validate(act.event.type, act.event.schema_version, act.event.data)
                except InvalidPayload:
                    self.quarantined += 1
                else:
                    raise AssertionError(f"{act.history}: {act.event.type} was to be refused")
            case Publish(expected="duplicate"):
                assert act.event.id in self._known
                self.duplicates += 1
            case Publish():
                self.publish(act.history, act.agency, act.event, act.at)
            case Redrive():
                self.redriven += 1
                self.publish(act.history, act.agency, act.event, act.at)
            case Answer():
                self.answer(act)
            case Decide():
                kept, other = self.proposals[act.history]
                self.fold(self.fact(f"merge {other}", "case.merged", "ccr", other, act.at, act.at, {"into": kept}))
            case Ingest():
                raw = Path("services/demo/documents", act.file).read_bytes()
                reading = read_document(raw, received_at=act.at, zone=self.zone)
                for event in reading.events:
                    self.publish(act.history, reading.agency, event, act.at)

    def publish(self, history: str, agency: str, event: Event, at: datetime) -> None:
        payload = validate(event.type, event.schema_version, event.data)
        data = split(payload).open
        self._known.add(event.id)
        self.late_reports += (at - event.occurred_at).total_seconds() > 15 * 60
        case_id = self._resolve(history, event, data)
        edition = self.policies.edition_at(at).id
        self.fold(Fact(event.id, event.type, agency, case_id, event.occurred_at, at, edition, data, event.corrects))

    def answer(self, act: Answer) -> None:
        found = [
            link
            for case_id in self._cases[act.history]
            for link in self.views[case_id].links.values()
            if link.rule == act.rule and link.agency == act.owed_by and not link.state.ended
        ]
        assert found, f"{act.history}: {act.agency} has no open {act.rule} of {act.owed_by} to {act.answer} at {act.at}"
        link = max(found, key=lambda link: link.opened_at)
        types = {"acknowledge": "acknowledged", "complete": "completed", "waive": "waived"}
        kind = f"link.{types[act.answer]}"
        data = {"link_id": link.id, "role": act.role, **act.body}
        if act.answer == "complete":
            data.setdefault("outcome", "done")
        id = ids.answer_event_id(types[act.answer], link.id, act.agency, act.role)
        before = len(self.transitions)
        self.fold(self.fact(id, kind, act.agency, link.case_id, act.at, act.at, data))
        assert len(self.transitions) > before, f"{act.history}: {act.answer} {act.rule} by {act.agency} changed nothing"

    def deadlines(self, until: datetime) -> None:
        while (due := min(self._pending(until), default=None)) is not None:
            at, link_id, number, case_id = due
            self._reached.add((link_id, number, at))
            data = {"link_id": link_id, "step": number, "due_at": at.isoformat()}
            id = ids.deadline_event_id(link_id, number, at)
            self.fold(self.fact(id, "link.deadline_reached", "ccr", case_id, at, at, data))

    def _pending(self, until: datetime) -> Iterable[tuple[datetime, str, int, str]]:
        for view in self.views.values():
            for link in view.links.values():
                for due in pending(link):
                    if due.at <= until and (link.id, due.step, due.at) not in self._reached:
                        yield due.at, link.id, due.step, view.case_id

    def fact(
        self, id: str, type: str, agency: str, case_id: str, at: datetime, recorded: datetime, data: dict[str, Any]
    ) -> Fact:
        return Fact(id, type, agency, case_id, at, recorded, self.policies.edition_at(recorded).id, data)

    def fold(self, fact: Fact) -> None:
        view = self.views.get(fact.case_id, CaseView(fact.case_id))
        done = step(view, fact, self.policies)
        self.views[fact.case_id] = done.view
        self.transitions += done.transitions
        for out in done.outbound:
            self.fold(self._outbound(out, fact))

    def _outbound(self, out: Outbound, cause: Fact) -> Fact:
        return self.fact(out.id, out.type, "ccr", out.case_id, out.occurred_at, cause.recorded_at, dict(out.data))

    def _resolve(self, history: str, event: Event, data: dict[str, Any]) -> str:
        if event.corrects is not None:
            return next(v.case_id for v in self.views.values() if event.corrects in v.facts)
        keys = [(r["kind"], r["number"]) for r in data.get("references", ())]
        if event.data.get("parties"):
            keys.append(("people", history))
        found = sorted({self._case_of[key] for key in keys if key in self._case_of})
        if len(found) == 2:
            self.proposals[history] = (found[0], found[1])
        case_id = found[0] if found else f"{history}-{len(self._cases[history])}"
        if case_id not in self._cases[history]:
            self._cases[history].append(case_id)
        for key in keys:
            self._case_of.setdefault(key, case_id)
        return case_id
