"""Records folded beforehand, so that only what the engine does is measured."""

from __future__ import annotations

from collections.abc import Sequence

from ccr_events.core.fold import Step, step
from ccr_events.core.rules import Policies
from ccr_events.core.view import CaseView
from services.engine.transaction import NewRecord, Transaction


class Folded:
    """What each record's fold gives, in memory."""

    def __init__(self, found: Sequence[NewRecord], policies: Policies) -> None:
        views: dict[str, CaseView] = {}
        self._steps: dict[str, Step] = {}
        for record in found:
            fact = record.fact
            done = step(views.get(fact.case_id) or CaseView(fact.case_id), fact, policies)
            views[fact.case_id], self._steps[fact.id] = done.view, done

    def append(self, tx: Transaction, record: NewRecord) -> int:
        """As the casebook appends, without folding."""
        fact = record.fact
        tx.views.get(fact.case_id)
        position = tx.events.append(record)
        done = self._steps[fact.id]
        tx.views.put(done.view)
        tx.links.put(fact.case_id, done.changed)
        tx.outbox.add(done.transitions, position=position, recorded_at=fact.recorded_at, alerting=record.alerting)
        return position
