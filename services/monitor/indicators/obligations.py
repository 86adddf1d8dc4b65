"""Protocol links: what each agency owes the others, and when it is done. One value for each agency that owes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from ccr_events.core.model import Link, LinkState
from services.monitor.indicators.case import Case
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Protocol links"


def _asked(case: Case) -> Iterator[Link]:
    return (link for link in case.links if case.window.holds(link.opened_at))


def _judged(case: Case) -> Iterator[tuple[Link, datetime]]:
    """Links that have ended, or whose due time has passed."""
    for link in _asked(case):
        if link.due_at is not None and (link.state.ended or link.due_at <= case.window.as_of):
            yield link, link.due_at


def _acknowledged(case: Case) -> Iterator[tuple[str, bool]]:
    for link, due_at in _judged(case):
        if link.state is not LinkState.WAIVED:
            answered = [at for at in (link.acknowledged_at, link.ended_at) if at is not None]
            yield link.agency, min(answered, default=None) is not None and min(answered) <= due_at


def _overdue(case: Case) -> Iterator[tuple[str, bool]]:
    for link, _ in _judged(case):
        yield link.agency, link.overdue


def _overdue_for(case: Case) -> Iterator[tuple[str, timedelta]]:
    for link, due_at in _judged(case):
        if link.overdue:
            yield link.agency, max((link.ended_at or case.window.as_of) - due_at, timedelta(0))


def _escalations(case: Case) -> Iterator[tuple[str, int]]:
    owed: Counter[str] = Counter()
    for link in _asked(case):
        owed[link.agency] += sum(step.reached and step.number > 0 for step in link.steps)
    yield from sorted(owed.items())


INDICATORS = (
    Indicator(
        "acknowledged_on_time",
        _CHAPTER,
        "Acknowledged on time",
        Unit.PERCENT,
        "links acknowledged or done by their due time",
        "links that have ended or whose due time has passed; waived ones left out",
        _acknowledged,
        by_agency=True,
    ),
    Indicator(
        "overdue",
        _CHAPTER,
        "Overdue",
        Unit.PERCENT,
        "links whose due time passed before the act, also where it was done later",
        "links that have ended or whose due time has passed",
        _overdue,
        by_agency=True,
    ),
    Indicator(
        "overdue_for",
        _CHAPTER,
        "How long overdue",
        Unit.HOURS,
        "from the due time to the act; to the time asked about where it is still not done",
        "overdue links",
        _overdue_for,
        by_agency=True,
    ),
    Indicator(
        "escalations",
        _CHAPTER,
        "Escalations",
        Unit.PER_100_CASES,
        "steps of an escalation ladder, and reminders, that were reached",
        "cases in which the agency owes something",
        _escalations,
        by_agency=True,
    ),
)
