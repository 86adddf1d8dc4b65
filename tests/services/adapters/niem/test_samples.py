"""Every published sample of both families, where the folder is there; in CI it must be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.adapters.niem import DocumentError
from tests.support.niem import read

SAMPLES = Path(__file__).parents[5] / "shared" / "samples"

NUMBER = "a number that points to the case"
EXPECTED = {
    "jtmp/arrest.xml": ("arrest.made", "arrest.made"),
    "jtmp/async-response.xml": (),
    "jtmp/booking.xml": ("custody.released",),
    "jtmp/booking-release.xml": ("custody.released",),
    "jtmp/bond-update.xml": ("bail.updated",),
    "jtmp/case-initiation.xml": ("court.case_opened",),
    "jtmp/charge-filing.xml": ("charge.filed",),
    "jtmp/court-event.xml": ("hearing.scheduled",),
    "jtmp/court-order.xml": ("court.order_entered",),
    "ojbc/booking.xml": ("jail.booked",),
    "ojbc/custody-release.xml": ("custody.released",),
    "ojbc/incident-with-arrest.xml": ("incident.reported", "arrest.made"),
}
"""What each sample tells; its booking says that the release is completed, and so is the release alone."""

WITHOUT_A_NUMBER = {
    "jtmp/arrest.xml": "nc:Incident/nc:ActivityIdentification/nc:IdentificationID",
    "jtmp/booking.xml": "j:BookingDocumentControlIdentification/nc:IdentificationID",
    "jtmp/booking-release.xml": "j:BookingDocumentControlIdentification/nc:IdentificationID",
    "jtmp/bond-update.xml": "/nola:BondUpdateExchange/nc:CourtCase/nc:CaseDocketID",
    "jtmp/court-event.xml": "j:CourtEventCase/nc:CaseDocketID",
    "jtmp/court-order.xml": "j:CourtOrder/nc:ActivityIdentification/nc:IdentificationID",
}
"""Samples whose every number is a placeholder, and the path that says so."""


def present() -> list[str]:
    return sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*.xml"))


@pytest.fixture(scope="module", autouse=True)
def _samples_are_there() -> None:
    if not present():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the published samples are not at {SAMPLES.name} beside the checkout, and CI must read them")
        pytest.skip("the published samples are not beside this checkout (../shared/samples)")


def test_every_sample_has_an_expectation() -> None:
    assert set(present()) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_tells_its_events(name) -> None:
    reading = read((SAMPLES / name).read_bytes(), samples=True)
    assert tuple(event.type for event in reading.events) == EXPECTED[name]
    assert bool(reading.skipped) is (not EXPECTED[name])
    for event in reading.events:
        assert event.occurred_at.year < 2026  # never the time of ingest: each sample says when its act was
        assert not any(text in str(event.data["references"]) for text in ("String", "string", "XXX"))


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in WITHOUT_A_NUMBER])
def test_a_sample_with_numbers_needs_nothing_made_up(name) -> None:
    raw = (SAMPLES / name).read_bytes()
    assert read(raw).events == read(raw, samples=True).events


@pytest.mark.parametrize(("name", "path"), WITHOUT_A_NUMBER.items())
def test_a_sample_without_a_number_is_refused_with_the_path(name, path) -> None:
    with pytest.raises(DocumentError) as refused:
        read((SAMPLES / name).read_bytes())
    assert path in refused.value.path
    assert "placeholder" in refused.value.reason
    assert NUMBER in refused.value.reason


def test_made_up_numbers_never_join_two_documents() -> None:
    numbers = [
        {
            reference["number"]
            for event in read((SAMPLES / name).read_bytes(), samples=True).events
            for reference in event.data["references"]
        }
        for name in WITHOUT_A_NUMBER
    ]
    assert len(set().union(*numbers)) == sum(len(found) for found in numbers)


def test_the_charge_filing_sample_is_read_whole() -> None:
    (event,) = read((SAMPLES / "jtmp/charge-filing.xml").read_bytes()).events
    assert event.occurred_at.isoformat() == "2024-10-01T05:00:00+00:00"
    assert event.data["references"] == [
        {"kind": "court_case_no", "number": "M999999"},
        {"kind": "incident_no", "number": "H2656024"},
        {"kind": "booking_no", "number": "999999999"},
    ]
    assert [count["statute"] for count in event.data["counts"]] == ["14.8", "14.8"]
    assert event.data["dv"] == "unknown"
    (party,) = event.data["parties"]
    assert party["role"] == "suspect"
    assert party["birth_date"] == "1968-11-01"


def test_the_incident_sample_joins_offenses_to_its_arrest_by_association() -> None:
    incident, arrest = read((SAMPLES / "ojbc/incident-with-arrest.xml").read_bytes()).events
    assert (
        incident.data["references"] == arrest.data["references"] == [{"kind": "incident_no", "number": "15999999999"}]
    )
    assert arrest.data["charges"][0]["statute"] == "13V3017"
    assert [charge["nibrs"] for charge in arrest.data["charges"]] == ["90Z", "90Z"]
    assert [party["role"] for party in arrest.data["parties"]] == ["suspect"]


def test_booking_and_release_samples_meet_in_one_case() -> None:
    booked = read((SAMPLES / "ojbc/booking.xml").read_bytes()).events[0]
    released = read((SAMPLES / "ojbc/custody-release.xml").read_bytes()).events[0]
    assert booked.data["references"][0] in released.data["references"]
    assert booked.data["hold_reason"] == "warrant"
    assert released.data["reason"] == "ror"
