"""Outcome: whether violence between the same two people was reported again.

The index incident is the first of the dyad inside the window; another incident is one with another number that police
attended. Offences and dispositions are not looked at. (Define window, offences and disposition first: DAIP learned
this, domain sheet source F64.)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from services.monitor.indicators.case import Case
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Outcome"
HALF_A_YEAR = timedelta(days=182)
A_YEAR = timedelta(days=365)


def _again_within(case: Case, span: timedelta) -> Iterator[tuple[str, bool]]:
    index = next(case.incidents_asked(), None)
    if index is not None and case.old_enough(index.at, span):
        yield "", any(index.at < incident.at <= index.at + span for incident in case.incidents)


def _half_a_year(case: Case) -> Iterator[tuple[str, bool]]:
    return _again_within(case, HALF_A_YEAR)


def _a_year(case: Case) -> Iterator[tuple[str, bool]]:
    return _again_within(case, A_YEAR)


INDICATORS = (
    Indicator(
        "reincident_6m",
        _CHAPTER,
        "Another incident of the same dyad within 6 months",
        Unit.PERCENT,
        "dyads with another incident within 182 days of the first",
        "dyads whose first incident is 182 days old",
        _half_a_year,
    ),
    Indicator(
        "reincident_12m",
        _CHAPTER,
        "Another incident of the same dyad within 12 months",
        Unit.PERCENT,
        "dyads with another incident within 365 days of the first",
        "dyads whose first incident is 365 days old",
        _a_year,
    ),
)
