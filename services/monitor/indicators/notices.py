"""Notices: the advocate after an arrest, the victim before a release."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ccr_events.agencies import Agency
from ccr_events.core.model import Fact
from services.monitor.indicators.case import Case, alike, first_after
from services.monitor.indicators.definition import Indicator, Unit

_CHAPTER = "Notices"
_LONGEST_STAY = timedelta(days=400)
"""A notice older than this belongs to another release, where no booking number tells."""


def _advocacy_notified_at(case: Case, arrest: Fact) -> datetime | None:
    """A referral after the arrest, or the delivery of an alert to the advocacy program, whichever is first."""
    times = [
        link.notified_at
        for link in case.links
        if link.agency == Agency.ADV and link.trigger_id == arrest.id and link.notified_at is not None
    ]
    referral = first_after(arrest, case.all_of("referral.advocacy_sent", "referral.advocacy_accepted"), "incident_no")
    if referral is not None:
        times.append(referral.occurred_at)
    return min(times, default=None)


def _arrest_to_advocacy(case: Case) -> Iterator[tuple[str, timedelta]]:
    for arrest in case.asked("arrest.made"):
        at = _advocacy_notified_at(case, arrest)
        if at is not None:
            yield "", max(at - arrest.occurred_at, timedelta(0))


def _arrest_told(case: Case) -> Iterator[tuple[str, bool]]:
    for arrest in case.asked("arrest.made"):
        yield "", _advocacy_notified_at(case, arrest) is not None


def _notices(case: Case, release: Fact) -> list[Fact]:
    """Notices of this release: of the same booking, and after the release before it."""
    earlier = [
        fact.occurred_at
        for fact in case.all_of("custody.released")
        if fact.occurred_at < release.occurred_at and alike(fact, release, "booking_no")
    ]
    since = max([*earlier, release.occurred_at - _LONGEST_STAY])
    return [
        fact
        for fact in case.all_of("victim.release_notified")
        if since < fact.occurred_at <= release.occurred_at and alike(fact, release, "booking_no")
    ]


def _noticed_before(case: Case) -> Iterator[tuple[str, bool]]:
    for release in case.asked("custody.released"):
        yield "", bool(_notices(case, release))


def _reached_before(case: Case) -> Iterator[tuple[str, bool]]:
    for release in case.asked("custody.released"):
        yield "", any(fact.data.get("reached") is True for fact in _notices(case, release))


INDICATORS = (
    Indicator(
        "arrest_to_advocacy",
        _CHAPTER,
        "From arrest to the advocacy program notified",
        Unit.MINUTES,
        "from the arrest to the first referral, or to the first alert delivered to the program",
        "arrests of which the program was notified",
        _arrest_to_advocacy,
    ),
    Indicator(
        "arrest_advocacy_notified",
        _CHAPTER,
        "Arrests of which the advocacy program was notified",
        Unit.PERCENT,
        "arrests with a referral, or with an alert delivered to the program",
        "arrests",
        _arrest_told,
    ),
    Indicator(
        "release_notice_before",
        _CHAPTER,
        "Release notice before the release",
        Unit.PERCENT,
        "releases before which the jail told the victim or logged that it tried",
        "releases",
        _noticed_before,
    ),
    Indicator(
        "release_victim_reached",
        _CHAPTER,
        "Victim reached before the release",
        Unit.PERCENT,
        "releases before which the victim was reached",
        "releases",
        _reached_before,
    ),
)
