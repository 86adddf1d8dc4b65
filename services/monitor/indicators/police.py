"""Police: arrests, suspects who were gone, risk screens. An incident is all that carries one incident number."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccr_events.codes.nibrs import Relationship
from services.monitor.indicators.case import Case, Incident
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Police"
_INTIMATE = frozenset(
    {
        Relationship.SPOUSE,
        Relationship.COMMON_LAW_SPOUSE,
        Relationship.BOYFRIEND_OR_GIRLFRIEND,
        Relationship.EX_SPOUSE,
        Relationship.EX_RELATIONSHIP,
    }
)
"""NIBRS codes of an intimate relationship (domain sheet 2.3)."""
_WITHOUT_CAUSE = frozenset({"no_pc", "self_defense"})
"""Reasons for no arrest that say that there was no probable cause, where the report does not say it itself."""
_SOON = timedelta(hours=72)
"""The window of a warrantless arrest (Minn. Stat. 629.341)."""


def _probable_cause(incident: Incident) -> bool:
    if incident.of("arrest.made"):
        return True
    return any(
        fact.data.get("probable_cause", fact.data.get("reason") not in _WITHOUT_CAUSE)
        for fact in incident.of("arrest.not_made")
    )


def _gone(incident: Incident) -> bool:
    return any(fact.data.get("reason") == "goa" for fact in incident.of("arrest.not_made"))


def _arrests(case: Case) -> Iterator[tuple[str, bool]]:
    for incident in case.incidents_asked():
        if _probable_cause(incident):
            yield "", bool(incident.of("arrest.made"))


def _dual_arrests(case: Case) -> Iterator[tuple[str, bool]]:
    for incident in case.incidents_asked():
        arrests = incident.of("arrest.made")
        if arrests:
            yield "", any(fact.data.get("dual_arrest") is True for fact in arrests)


def _gone_on_arrival(case: Case) -> Iterator[tuple[str, bool]]:
    for incident in case.incidents_asked():
        yield "", _gone(incident)


def _gone_and_arrested(case: Case) -> Iterator[tuple[str, bool]]:
    for incident in case.incidents_asked():
        if _gone(incident) and (incident.of("arrest.made") or case.old_enough(incident.at, _SOON)):
            yield "", any(fact.occurred_at <= incident.at + _SOON for fact in incident.of("arrest.made"))


def _screened(case: Case) -> Iterator[tuple[str, bool]]:
    for incident in case.incidents_asked():
        if any(fact.data.get("relationship") in _INTIMATE for fact in incident.of("incident.reported")):
            yield "", bool(incident.of("risk.screened"))


def _high_danger(case: Case) -> Iterator[tuple[str, bool]]:
    for screen in case.asked("risk.screened"):
        yield "", screen.data.get("high_danger") is True


INDICATORS = (
    Indicator(
        "arrest_rate",
        _CHAPTER,
        "Arrest rate",
        Unit.PERCENT,
        "incidents with an arrest",
        "incidents with probable cause: an arrest, or none although there was cause",
        _arrests,
    ),
    Indicator(
        "dual_arrest_rate",
        _CHAPTER,
        "Dual-arrest rate",
        Unit.PERCENT,
        "incidents in which both parties were arrested",
        "incidents with an arrest",
        _dual_arrests,
    ),
    Indicator(
        "gone_on_arrival_rate",
        _CHAPTER,
        "Suspect gone on arrival",
        Unit.PERCENT,
        "incidents in which no arrest was made because the suspect was gone",
        "incidents that police attended",
        _gone_on_arrival,
    ),
    Indicator(
        "gone_arrested_72h",
        _CHAPTER,
        "Gone on arrival, arrested within 72 hours",
        Unit.PERCENT,
        "incidents with an arrest within 72 hours",
        "incidents with the suspect gone on arrival that are 72 hours old, or have an arrest",
        _gone_and_arrested,
    ),
    Indicator(
        "risk_screened",
        _CHAPTER,
        "Risk screened",
        Unit.PERCENT,
        "incidents with a risk screen",
        "incidents reported between intimate partners, present or former",
        _screened,
    ),
    Indicator(
        "high_danger",
        _CHAPTER,
        "High danger",
        Unit.PERCENT,
        "risk screens that found high danger",
        "risk screens",
        _high_danger,
    ),
)
