"""Prosecution: charged, declined, dismissed."""

from __future__ import annotations

from collections.abc import Iterator

from ccr_events.core.model import Fact
from services.monitor.indicators.case import Case, first_after, incident_of, numbers
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Prosecution"


def _charged(case: Case) -> Iterator[tuple[str, bool]]:
    decided: dict[str, bool] = {}
    for fact in case.asked("charge.filed", "charge.declined"):
        key = incident_of(fact)
        decided[key] = decided.get(key, False) or fact.type == "charge.filed"
    for filed in decided.values():
        yield "", filed


def _dismissed(case: Case) -> Iterator[tuple[str, bool]]:
    seen: set[str] = set()
    for filed in case.all_of("charge.filed"):
        keys = numbers(filed, "court_case_no") or {filed.id}
        if seen.isdisjoint(keys) and case.window.holds(filed.occurred_at):
            yield "", first_after(filed, _dismissals(case), "court_case_no", "incident_no") is not None
        seen |= keys


def _dismissals(case: Case) -> list[Fact]:
    return case.all_of("charge.dismissed")


INDICATORS = (
    Indicator(
        "charge_rate",
        _CHAPTER,
        "Charge rate",
        Unit.PERCENT,
        "incidents in which charges were filed",
        "incidents in which the prosecutor decided",
        _charged,
    ),
    Indicator(
        "dismissal_rate",
        _CHAPTER,
        "Dismissal rate",
        Unit.PERCENT,
        "court files with a dismissal",
        "court files in which charges were filed; those still open are among them",
        _dismissed,
    ),
)
