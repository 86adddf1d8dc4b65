"""Replay: every view, link, deadline and transition derived anew from the log, and compared with what is stored.

`verify` folds the log event by event, as it was folded when the events came, and compares byte for byte. `rebuild`
writes facts, links and deadlines anew; what the outbox told stays as it was told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ccr_events.core import moves
from ccr_events.core.codec import encode_fact, encode_view
from ccr_events.core.fold import refold, step
from ccr_events.core.model import Fact
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import decode_record, fact_of
from services.casebook.recorder import merged_into
from services.engine.sqlite.links import link_row
from services.engine.sqlite.rewriting import open_rewriting
from services.engine.sqlite.snapshot import Snapshot, StoredRecord, new_digest, open_snapshot, tell
from services.engine.transaction import NewRecord

MAX_DIFFERENCES = 1_000
"""Differences named in a report; further ones are counted."""

Progress = Callable[[int, int], None]
"""(events done, events in all)."""
Part = Literal["log", "fact", "view", "link", "deadline", "outbox", "merge"]
"""What differs."""


class ReplayRefused(RuntimeError):
    """The log cannot be folded; says what is missing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something stored that the log does not say. Named by id only."""

    part: Part
    case_id: str
    """Empty when it belongs to no case."""
    link_id: str | None = None


@dataclass(slots=True)
class Report:
    """What a replay found."""

    events: int = 0
    cases: int = 0
    links: int = 0
    transitions: int = 0
    different: int = 0
    """How many differences there are."""
    differences: list[Difference] = field(default_factory=list)
    """The first of them."""

    @property
    def identical(self) -> bool:
        """Whether everything stored is what the log says."""
        return self.different == 0

    def add(self, difference: Difference) -> None:
        """Note a difference."""
        self.different += 1
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(difference)


def verify(directory: Path, policies: Policies, progress: Progress | None = None) -> Report:
    """Fold the log anew and compare; `directory` may be in use. Nothing is written.

    Raises `ReplayRefused` when policies are missing, `StorageFailed` when the database cannot be read.
    """
    report = Report()
    with open_snapshot(directory) as stored:
        totals, told, logged = stored.totals(), stored.told(), stored.events_by_case()
        if not stored.gapless():
            report.add(Difference("log", ""))
        if "" in told:
            report.add(Difference("outbox", ""))
        for number, case_id in stored.cases():
            before = report.events
            _verify_case(stored, number, case_id, policies, told.get(case_id), report)
            if report.events - before != logged.pop(case_id, 0):
                report.add(Difference("fact", case_id))
            if progress is not None:
                progress(report.events, totals.events)
        for case_id in sorted(logged):
            report.add(Difference("log", case_id))
        if report.links != totals.links:
            report.add(Difference("link", ""))
    return report


def rebuild(directory: Path, policies: Policies, progress: Progress | None = None) -> Report:
    """Write facts, links and deadlines anew from the log, in one transaction; `directory` must not be in use.

    Raises `ReplayRefused` when policies are missing, `StorageFailed` when the directory is in use or refuses.
    """
    report = Report()
    with open_rewriting(directory) as fresh:
        total = fresh.events()
        for position, body in fresh.log():
            fresh.put_fact(position, fact_of(decode_record(body)))
        for case_id, facts in fresh.cases():
            _require_editions(policies, facts.values())
            view = refold(case_id, facts, policies)
            fresh.put_case(case_id, view.links.values(), merged_into(view))
            report.cases += 1
            report.events += len(facts)
            report.links += len(view.links)
            if progress is not None:
                progress(report.events, total)
    return report


def _verify_case(
    stored: Snapshot, number: int, case_id: str, policies: Policies, told: bytes | None, report: Report
) -> None:
    """Fold one case and compare all that is stored of it."""
    view, telling, count = CaseView(case_id), new_digest(), 0
    records = [(record, _fresh(record)) for record in stored.records(number)]
    _require_editions(policies, (fresh.fact for _, fresh in records))
    for record, fresh in records:
        if encode_fact(fresh.fact) != record.fact or fresh.fact.case_id != case_id:
            report.add(Difference("fact", case_id))
        done = step(view, fresh.fact, policies)
        view = done.view
        for transition in done.transitions:
            tell(telling, record.position, fresh, transition)
        count += len(done.transitions)
        if not all(stored.on_log(sent.id) for sent in done.outbound):
            report.add(Difference("log", case_id))
        report.events += 1
    if told != (telling.digest() if count else None):
        report.add(Difference("outbox", case_id))
    if encode_view(stored.view(number, case_id)) != encode_view(view):
        report.add(Difference("view", case_id))
    if stored.forward(case_id) != merged_into(view):
        report.add(Difference("merge", case_id))
    _verify_links(stored, number, view, report)
    report.cases += 1
    report.transitions += count


def _verify_links(stored: Snapshot, number: int, view: CaseView, report: Report) -> None:
    rows = stored.link_rows(number)
    report.links += len(rows)
    for link_id in sorted(rows.keys() | view.links.keys()):
        link, row = view.links.get(link_id), rows.get(link_id)
        expected = None if link is None else link_row(number, link)
        if row == expected:
            continue
        same_link = row is not None and expected is not None and row[-1] == expected[-1]
        report.add(Difference("deadline" if same_link else "link", view.case_id, link_id))


def _fresh(stored: StoredRecord) -> NewRecord:
    """The record as it was appended, read from its body alone."""
    return NewRecord(fact_of(decode_record(stored.body)), stored.body, stored.digest, stored.alerting)


def _require_editions(policies: Policies, facts: Iterable[Fact]) -> None:
    editions: set[str] = set()
    for fact in facts:
        editions.add(fact.edition)
        if fact.type == moves.ABSORBED:
            editions.add(fact.data["edition"])
    for edition in sorted(editions):
        try:
            policies.edition(edition)
        except LookupError as error:
            raise ReplayRefused(
                f"events are stamped with policy edition {edition}, which is not among the policies loaded; "
                "load the policies that were in force"
            ) from error
