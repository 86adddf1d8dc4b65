"""Histories follow the protocol: what one agency does is followed by what the others owe, or by nothing when missed."""

from __future__ import annotations

from collections import defaultdict

import pytest

from services.simulator import County, Report, reports

COUNTY = County(population=300_000, days=60, tail_days=700)


@pytest.fixture(scope="module")
def by_number() -> dict[tuple[str, str], list[Report]]:
    found: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for report in reports(COUNTY, 8):
        for reference in report.event.data["references"]:
            found[(reference["kind"], reference["number"])].append(report)
    return found


def of(kind: str, by_number: dict[tuple[str, str], list[Report]], needed: str) -> list[dict[str, list[Report]]]:
    """Files of a kind that hold an event of the needed type, each as type → reports by time of the act."""
    files = []
    for (found_kind, _), sent in by_number.items():
        types: dict[str, list[Report]] = defaultdict(list)
        for report in sorted(sent, key=lambda one: one.event.occurred_at):
            types[report.event.type].append(report)
        if found_kind == kind and needed in types:
            files.append(types)
    assert len(files) > 20
    return files


def test_most_arrests_are_booked_and_referred(by_number: dict[tuple[str, str], list[Report]]) -> None:
    files = of("incident_no", by_number, "arrest.made")
    booked = sum("jail.booked" in types for types in files) / len(files)
    referred = sum("referral.advocacy_sent" in types for types in files) / len(files)
    assert booked > 0.95
    assert 0.85 < referred < 1


def test_a_release_is_announced_before_it_happens(by_number: dict[tuple[str, str], list[Report]]) -> None:
    for types in of("booking_no", by_number, "custody.release_pending"):
        if "custody.released" in types:
            pending, released = types["custody.release_pending"][0], types["custody.released"][0]
            assert pending.event.occurred_at < released.event.occurred_at


def test_some_releases_come_without_a_word_to_the_victim(by_number: dict[tuple[str, str], list[Report]]) -> None:
    files = of("booking_no", by_number, "custody.release_pending")
    told = sum("victim.release_notified" in types for types in files) / len(files)
    assert 0.8 < told < 1


def test_service_comes_after_the_order_and_some_reports_of_it_before(
    by_number: dict[tuple[str, str], list[Report]],
) -> None:
    early = 0
    for types in of("order_no", by_number, "ofp.served"):
        order, served = types["ofp.ex_parte_granted"][0], types["ofp.served"][0]
        assert order.event.occurred_at < served.event.occurred_at
        early += served.at < order.at
    assert early > 0


def test_the_program_counts_absences_until_he_is_suspended(by_number: dict[tuple[str, str], list[Report]]) -> None:
    suspended = 0
    for types in of("referral_no", by_number, "bip.session_recorded"):
        first = {r.event.id: r for r in types["bip.session_recorded"] if r.event.corrects is None}.values()
        unexcused = sum(not r.event.data["present"] and not r.event.data["excused"] for r in first)
        if any(r.event.data["status"] == "suspended" for r in types["bip.status_changed"]):
            suspended += 1
            assert unexcused > COUNTY.odds.absences_allowed
    assert suspended > 0


def test_every_agency_is_asked_to_seal_and_most_do(by_number: dict[tuple[str, str], list[Report]]) -> None:
    orders = {r.event.id for sent in by_number.values() for r in sent if r.event.type == "record.seal_ordered"}
    applied = defaultdict(set)
    for sent in by_number.values():
        for report in sent:
            if report.event.type == "record.seal_applied":
                applied[report.event.data["order_event"]].add(report.agency)
    assert orders
    done = [len(applied[order]) for order in orders]
    assert sum(done) / len(done) > 10
    assert min(done) < 13


def test_a_dual_arrest_is_reviewed_and_the_second_one_declined(
    by_number: dict[tuple[str, str], list[Report]],
) -> None:
    dual = [
        types
        for types in of("incident_no", by_number, "arrest.made")
        if any(r.event.data.get("dual_arrest") for r in types["arrest.made"])
    ]
    assert dual
    for types in dual:
        assert len({r.event.id for r in types["arrest.made"] if r.event.corrects is None}) >= 2
        assert "charge.declined" in types
    assert any("arrest.reviewed" in types for types in dual)
