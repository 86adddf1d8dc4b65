"""Supervision and the men's program: whether, and how soon, something follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ccr_events.core.model import Fact
from services.monitor.indicators.case import Case, first_after
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Supervision"
_PUT_OUT = frozenset({"suspended", "terminated"})
_CONSEQUENCES = frozenset({"sanction", "revoked"})


def _referral_to_intake(case: Case) -> Iterator[tuple[str, timedelta]]:
    for referral in case.asked("bip.referred"):
        intake = first_after(referral, case.all_of("bip.intake_completed"), "referral_no")
        if intake is not None:
            yield "", intake.occurred_at - referral.occurred_at


def _absences(case: Case) -> Iterator[tuple[Fact, Fact | None]]:
    """(unexcused absence, the first consequence after it)."""
    answers = [
        fact
        for fact in case.all_of("violation.alleged", "bip.status_changed")
        if fact.type == "violation.alleged" or fact.data.get("status") in _PUT_OUT
    ]
    for session in case.asked("bip.session_recorded"):
        if session.data.get("present") is False and session.data.get("excused") is not True:
            yield session, first_after(session, answers)


def _absence_to_consequence(case: Case) -> Iterator[tuple[str, timedelta]]:
    for absence, answer in _absences(case):
        if answer is not None:
            yield "", answer.occurred_at - absence.occurred_at


def _violations(case: Case) -> Iterator[tuple[Fact, Fact | None]]:
    """(violation alleged, what the court decided on it). A decision answers the allegation before it."""
    decisions = case.all_of("violation.disposed")
    for alleged in case.asked("violation.alleged"):
        yield alleged, first_after(alleged, decisions, "court_case_no")


def _violation_consequence(case: Case) -> Iterator[tuple[str, bool]]:
    for _, decision in _violations(case):
        yield "", decision is not None and decision.data.get("outcome") in _CONSEQUENCES


def _violation_swiftness(case: Case) -> Iterator[tuple[str, timedelta]]:
    for alleged, decision in _violations(case):
        if decision is not None:
            yield "", decision.occurred_at - alleged.occurred_at


INDICATORS = (
    Indicator(
        "referral_to_intake",
        _CHAPTER,
        "From referral to intake in the men's program",
        Unit.DAYS,
        "from the referral to the intake",
        "referrals that were followed by an intake",
        _referral_to_intake,
    ),
    Indicator(
        "absence_to_consequence",
        _CHAPTER,
        "From an absence to a consequence",
        Unit.DAYS,
        "from an unexcused absence to a violation alleged, or to suspension or termination",
        "unexcused absences that had a consequence",
        _absence_to_consequence,
    ),
    Indicator(
        "violation_consequence",
        _CHAPTER,
        "Violations with a consequence",
        Unit.PERCENT,
        "violations that ended in a sanction or a revocation",
        "violations alleged; those not decided yet are among them",
        _violation_consequence,
    ),
    Indicator(
        "violation_swiftness",
        _CHAPTER,
        "From violation alleged to decided",
        Unit.DAYS,
        "from the allegation to the decision of the court",
        "violations that were decided",
        _violation_swiftness,
    ),
)
