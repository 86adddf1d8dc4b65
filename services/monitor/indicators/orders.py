"""Protection orders: granted, served, enforced. An order is all that carries one order number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ccr_events.core.model import Fact
from services.monitor.indicators.case import Case, alike, first_after, numbers
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Orders"
NEVER = timedelta(days=14)
"""An order that is not served by then will hardly be: its hearing was due (Minn. Stat. 518B.01, marked K: configuration
of what is counted, not law)."""
_SOON_AFTER = timedelta(hours=24)


def _ex_parte(case: Case) -> Iterator[tuple[str, bool]]:
    for fact in case.asked("ofp.ex_parte_granted", "ofp.denied"):
        if fact.type == "ofp.ex_parte_granted" or fact.data.get("ex_parte") is True:
            yield "", fact.type == "ofp.ex_parte_granted"


def _issued(case: Case) -> Iterator[Fact]:
    """The first paper of each order: served once, it binds."""
    seen: set[str] = set()
    for fact in case.all_of("ofp.ex_parte_granted", "ofp.granted"):
        keys = numbers(fact, "order_no") or {fact.id}
        if seen.isdisjoint(keys) and case.window.holds(fact.occurred_at):
            yield fact
        seen |= keys


def _served_at(case: Case, order: Fact) -> datetime | None:
    served = first_after(order, case.all_of("ofp.served"), "order_no")
    if served is None:
        return None
    said = served.data.get("served_at")
    at = served.occurred_at if said is None else datetime.fromisoformat(said)
    return max(at, order.occurred_at)


def _issue_to_served(case: Case) -> Iterator[tuple[str, timedelta]]:
    for order in _issued(case):
        at = _served_at(case, order)
        if at is not None:
            yield "", at - order.occurred_at


def _served_within(case: Case, limit: timedelta) -> Iterator[tuple[str, bool]]:
    for order in _issued(case):
        at = _served_at(case, order)
        if at is not None or case.old_enough(order.occurred_at, limit):
            yield "", at is not None and at - order.occurred_at <= limit


def _within_a_day(case: Case) -> Iterator[tuple[str, bool]]:
    return _served_within(case, timedelta(hours=24))


def _within_three_days(case: Case) -> Iterator[tuple[str, bool]]:
    return _served_within(case, timedelta(hours=72))


def _never_served(case: Case) -> Iterator[tuple[str, bool]]:
    for order in _issued(case):
        if case.old_enough(order.occurred_at, NEVER):
            yield "", _served_at(case, order) is None


def _violation_arrested(case: Case) -> Iterator[tuple[str, bool]]:
    for report in case.asked("order.violation_reported"):
        if report.data.get("arrest_event") is not None or report.data.get("in_custody") is True:
            yield "", True
            continue
        arrested = any(
            fact.occurred_at >= report.occurred_at - _SOON_AFTER and alike(fact, report, "incident_no")
            for fact in case.all_of("arrest.made")
            if numbers(fact, "incident_no") & numbers(report, "incident_no") or _near(fact, report)
        )
        yield "", arrested


def _near(arrest: Fact, report: Fact) -> bool:
    """Without a number in common: an arrest within a day of the report."""
    return abs(arrest.occurred_at - report.occurred_at) <= _SOON_AFTER


INDICATORS = (
    Indicator(
        "ex_parte_granted",
        _CHAPTER,
        "Granted without a hearing",
        Unit.PERCENT,
        "petitions granted ex parte",
        "petitions decided ex parte",
        _ex_parte,
    ),
    Indicator(
        "issue_to_served",
        _CHAPTER,
        "From issue to service",
        Unit.HOURS,
        "from the first paper of the order to its service",
        "orders that were served",
        _issue_to_served,
    ),
    Indicator(
        "served_24h",
        _CHAPTER,
        "Served within 24 hours",
        Unit.PERCENT,
        "orders served within 24 hours",
        "orders served, or issued 24 hours ago or longer",
        _within_a_day,
    ),
    Indicator(
        "served_72h",
        _CHAPTER,
        "Served within 72 hours",
        Unit.PERCENT,
        "orders served within 72 hours",
        "orders served, or issued 72 hours ago or longer",
        _within_three_days,
    ),
    Indicator(
        "never_served",
        _CHAPTER,
        "Not served",
        Unit.PERCENT,
        "orders of which no service was recorded",
        "orders issued 14 days ago or longer",
        _never_served,
    ),
    Indicator(
        "violation_arrested",
        _CHAPTER,
        "Violation followed by arrest",
        Unit.PERCENT,
        "reports with an arrest of the same incident, or within a day, or of a man in custody already",
        "reports that an order was violated",
        _violation_arrested,
    ),
)
