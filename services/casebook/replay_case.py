"""One case folded anew from the log, event by event as it was when they came, and compared with all that is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ccr_events.core import moves
from ccr_events.core.codec import encode_transition
from ccr_events.core.fold import step
from ccr_events.core.model import Fact
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.casebook.recorder import merged_into
from services.casebook.replay_outbox import Row
from services.casebook.replay_report import Difference, ReplayRefused, Report
from services.engine.sqlite.links import link_row
from services.engine.sqlite.schema import stored_instant
from services.engine.sqlite.snapshot import Snapshot, StoredCase, StoredRecord

Telling = Callable[[int, Sequence[Row]], None]
"""Takes (position, what folding its event tells)."""


@dataclass(slots=True)
class Folding:
    """Folds cases and compares them; notes what it finds."""

    stored: Snapshot
    policies: Policies
    telling: Telling
    report: Report = field(default_factory=Report)
    _known: set[str] = field(default_factory=set)
    """Editions the policies have."""

    def case(self, case: StoredCase) -> None:
        """Fold one case and compare."""
        if case.case_id is None:
            self._stray(case)
            return
        view = CaseView(case.case_id)
        for record in case.records:
            fact = self._fact(record, view)
            if fact is not None:
                view = self._folded(view, fact, record)
        self.report.events += len(case.records)
        self.report.cases += 1
        if case.forward != merged_into(view):
            self._different("merge", view)
        self._links(case, view)

    def _fact(self, record: StoredRecord, view: CaseView) -> Fact | None:
        """The fact read from the event itself; None when there is none of this case to fold."""
        if record.body is None or record.case_id != view.case_id:
            self._different("fact", view)
            if record.case_id is not None:
                self.report.add(Difference("fact", record.case_id))
            return None
        try:
            fact = read_fact(record.body)
        except (ValueError, KeyError, TypeError):
            self._different("log", view)
            return None
        if fact.id != record.event_id or fact.case_id != view.case_id:
            self._different("log", view)
        return fact

    def _folded(self, view: CaseView, fact: Fact, record: StoredRecord) -> CaseView:
        if fact.edition not in self._known or fact.type == moves.ABSORBED:
            require_editions(self.policies, fact)
            self._known.add(fact.edition)
        done = step(view, fact, self.policies)
        if done.transitions:
            at, loud = stored_instant(fact.recorded_at), record.alerting or 0
            told = [(at, loud, encode_transition(t)) for t in done.transitions]
            self.telling(record.position, told)
            self.report.transitions += len(done.transitions)
        if done.outbound and not all(self.stored.on_log(sent.id) for sent in done.outbound):
            self._different("log", view)
        return done.view

    def _links(self, case: StoredCase, view: CaseView) -> None:
        self.report.links += len(case.links)
        for link_id in sorted(case.links.keys() | view.links.keys()):
            link, row = view.links.get(link_id), case.links.get(link_id)
            expected = None if link is None else link_row(case.number, link)
            if row == expected:
                continue
            same_link = row is not None and expected is not None and row[-1] == expected[-1]
            self.report.add(Difference("deadline" if same_link else "link", view.case_id, link_id))

    def _stray(self, case: StoredCase) -> None:
        self.report.strays = True
        self.report.add(Difference("fact", ""))
        for case_id in sorted({record.case_id for record in case.records if record.case_id is not None}):
            self.report.add(Difference("fact", case_id))

    def _different(self, part: str, view: CaseView) -> None:
        self.report.add(Difference(part, view.case_id))  # type: ignore[arg-type]  # one of `Part`, written above


def require_editions(policies: Policies, fact: Fact) -> None:
    """Raise `ReplayRefused` unless the editions that judge the fact are loaded."""
    editions = {fact.edition, fact.data["edition"]} if fact.type == moves.ABSORBED else {fact.edition}
    for edition in sorted(editions):
        try:
            policies.edition(edition)
        except LookupError as error:
            raise ReplayRefused(
                f"events are stamped with policy edition {edition}, which is not among the policies loaded; "
                "load the policies that were in force"
            ) from error
