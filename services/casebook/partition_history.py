"""Deadlines of backfilled history, which alert nobody.

What had passed when a backfilled event was recorded is fired together with the folding of that event, before its
checkpoint, and recorded at the event's own time: so it happens however often that is begun anew, and the log itself
tells later that the ladder had been climbed by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from ccr_events.core import ids
from ccr_events.core.model import Link
from ccr_events.core.view import CaseView
from services.casebook.deadline_reached import deadline_record, passed_before_it_was_told
from services.engine.deadlines import firing_order, pending
from services.engine.transaction import Deadline, NewRecord

Rungs = Callable[[Link], int]
"""How many rungs the ladder of a link has, beyond which its steps are reminders."""


class Held(Protocol):
    """Views by case."""

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""


def told_at(link: Link) -> datetime:
    """When its trigger was recorded, to the second."""
    return link.opened_at + timedelta(seconds=link.lag_s)


def passed_in_history(views: Held, backfilled: Mapping[str, str]) -> list[tuple[Deadline, NewRecord]]:
    """The events of deadlines that had passed when their links' triggers were recorded, in firing order.

    `backfilled`: link id → case that holds it, of the links that history has changed.
    """
    found: list[tuple[Deadline, NewRecord]] = []
    for link_id, case_id in backfilled.items():
        link = views.get(case_id).links.get(link_id)
        if link is None:
            continue
        at = told_at(link)
        passed = (deadline for deadline in pending(link) if deadline.at <= at)
        found += [(each, deadline_record(each, at, link.edition, alerting=False)) for each in passed]
    return sorted(found, key=lambda each: firing_order(each[0]))


def reminds_of_history(views: Held, deadline: Deadline, rungs: Rungs) -> bool:
    """Whether a deadline reminds of a ladder that was climbed by history."""
    view = views.get(deadline.case_id)
    link = view.links.get(deadline.link_id)
    if link is None or deadline.step <= rungs(link) or not passed_before_it_was_told(link, deadline, rungs(link)):
        return False
    climbed = [step for step in link.steps if step.number <= rungs(link)]
    told = [view.facts.get(ids.deadline_event_id(link.id, step.number, step.at)) for step in climbed]
    return any(fact is not None and fact.recorded_at <= told_at(link) for fact in told)
