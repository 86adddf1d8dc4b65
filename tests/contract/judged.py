"""What is made of a history afterwards: indicators, cases as they stood, a draft tried on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ccr_events.core.codec import encode_view
from ccr_events.policy import PolicyBook
from services.casebook.as_of import case_as_of
from services.casebook.history import History
from services.casebook.replay_crew import Opened
from services.monitor.indicators.case import Window
from services.monitor.indicators.catalogue import named
from services.monitor.indicators.over_log import measured
from services.monitor.indicators.shown import Shown, shown
from services.monitor.what_if.over_log import Question, tried
from tests.support.drafts import newer

DRAFT = newer().replace("within: 1 h", "within: 30 min", 1)


@dataclass(frozen=True, slots=True)
class Judged:
    """Of one history, at one instant."""

    indicators: list[Shown]
    cases: Mapping[str, tuple[bytes, int, str | None]]
    """Case id → its view then, how many facts came later, and into which case it had been merged."""
    by_draft: list[tuple[str, str, int, int]]
    """(rule, agency, links sooner, links late by the draft)."""


def judged(opened: Opened[History], policies: PolicyBook, at: datetime) -> Judged:
    """Everything, in this process."""
    tally = measured(opened, lambda: policies, Window(None, None, at), processes=1)
    question = Question((("draft.yaml", DRAFT.encode()),), None, at)
    outcome = tried(opened, None, question, processes=1)
    with opened() as stored:
        ids = [case_id for case_id, _ in stored.facts(1, stored.bound().cases)]
        named_by_id = {case_id: stored.cases_named(case_id, 2) for case_id in ids}
        standing = {case_id: case_as_of(stored, case_id, at, policies) for case_id in ids}
    assert named_by_id == {case_id: [case_id] for case_id in ids}
    return Judged(
        list(shown(tally, named(()), smallest=1)),
        {c: (encode_view(found.view), found.later, found.into) for c, found in standing.items() if found is not None},
        [(rule, agency, row.earlier, row.overdue_after) for rule, agency, row in outcome.changed()],
    )
