"""The invented county has the volumes and the hours that its sources and its own tables say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from services.simulator import County, Report, reports
from services.simulator.county import DULUTH_POPULATION
from services.simulator.draws import Draws
from services.simulator.hours import NIGHT_HOURS, Arrivals, Hours

COUNTY = County(population=DULUTH_POPULATION, days=365, tail_days=760)
"""A year of calls, followed until nearly every history has ended."""


@pytest.fixture(scope="module")
def sent() -> list[Report]:
    found: dict[str, Report] = {}
    for report in reports(COUNTY, 5):
        found.setdefault(report.event.id, report)
    return list(found.values())


@pytest.fixture(scope="module")
def counts(sent: list[Report]) -> Counter[str]:
    return Counter(report.event.type for report in sent if report.event.corrects is None)


def test_calls_a_year_are_those_of_duluth(counts: Counter[str]) -> None:
    assert 1_217 * 0.92 < counts["call.received"] < 1_217 * 1.08


def test_about_39_percent_of_calls_end_in_an_arrest(counts: Counter[str]) -> None:
    assert 0.34 < counts["arrest.made"] / counts["call.received"] < 0.49


def test_as_many_men_enter_the_program_as_entered_in_duluth(counts: Counter[str]) -> None:
    assert 217 * 0.6 < counts["bip.intake_completed"] < 261 * 1.1


def test_a_history_is_as_long_as_the_domain_sheet_reckons(sent: list[Report], counts: Counter[str]) -> None:
    """About 45 events for an incident, some 12 of them link events that the backbone and practitioners add."""
    assert 0.75 * 33 < len(sent) / counts["call.received"] < 1.25 * 33


def test_petitions_are_about_two_for_a_thousand_people(counts: Counter[str]) -> None:
    assert 1.8 * 86 * 0.75 < counts["ofp.petitioned"] < 1.8 * 86 * 1.25


def test_nights_and_weekends_have_their_share() -> None:
    county = County()
    arrivals = Arrivals(county.hours, 40_000, 0, Draws("share"))
    local = [arrivals.next() for _ in range(40_000)]
    hours = Counter(at // 3600 % 24 for at in local)
    days = Counter((at // 86_400 + 3) % 7 for at in local)
    night = sum(hours[hour] for hour in NIGHT_HOURS) / len(local)
    weekend = (days[5] + days[6]) / len(local)
    weights = Hours()
    assert night == pytest.approx(sum(weights.by_hour[h] for h in NIGHT_HOURS) / sum(weights.by_hour), abs=0.02)
    assert weekend == pytest.approx(sum(weights.by_weekday[5:]) / sum(weights.by_weekday), abs=0.02)
    assert night > 1.3 * len(NIGHT_HOURS) / 24
    assert weekend > 1.15 * 2 / 7


def test_calls_come_as_often_as_asked_at_any_rate() -> None:
    for a_year in (50, 5_000, 500_000):
        arrivals = Arrivals(Hours(holidays=()), a_year, 0, Draws("rate", a_year))
        last = [arrivals.next() for _ in range(8_000)][-1]
        assert 8_000 / (last / 86_400 / 365.25) == pytest.approx(a_year, rel=0.04)


def test_holidays_have_more_calls() -> None:
    county = County(hours=Hours(holidays=((7, 4),), holiday=4.0), population=3_000_000, days=4)
    county_start = county.start.replace(month=7, day=2)
    begun = County(hours=county.hours, population=3_000_000, days=4, start=county_start)
    days = Counter(
        (report.event.occurred_at - timedelta(hours=6)).day
        for report in reports(begun, 1)
        if report.event.type == "call.received"
    )
    assert days[4] > 2 * days[3]
