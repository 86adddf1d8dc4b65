"""What the core writes and reads fits the backbone's own types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ccr_events.core.model import Fact
from ccr_events.core.moves import outbound
from ccr_events.envelope import transition_event
from ccr_events.validation import InvalidPayload, validate
from tests.support.envelopes import TRANSITION

AT = datetime(2026, 3, 1, 22, 15, 0, 250_000, tzinfo=UTC)


def _fact(id: str, type: str, data: dict[str, object], corrects: str | None = None) -> Fact:
    return Fact(id, type, "ccr", "case-17", AT, AT, "2026-01-01", data, corrects)


def test_a_transition_fits_its_type() -> None:
    event = transition_event(TRANSITION)
    payload = validate(event["type"], 1, event["data"])
    assert payload.model_dump()["link"]["id"] == TRANSITION.link.id


def test_what_a_merge_carries_over_and_takes_back_fits_its_types() -> None:
    booked = _fact("fact-1", "jail.booked", {"hold_reason": "warrant", "references": []}, corrects="fact-0")
    merged = _fact("fact-2", "case.merged", {"into": "case-18"})
    retracted = _fact("fact-3", "event.retracted", {"reason": "wrong_case"}, corrects="fact-2")
    before, between = {booked.id: booked}, {f.id: f for f in (booked, merged)}
    after = {f.id: f for f in (booked, merged, retracted)}
    written = [*outbound(before, between, merged), *outbound(between, after, retracted)]
    assert [event.type for event in written] == ["case.absorbed", "case.absorption_ended"]
    for event in written:
        validate(event.type, 1, event.data)


@pytest.mark.parametrize("role", ["judge's clerk", "victim-witness specialist", "director of the tracking entity"])
def test_an_answer_is_given_in_a_role(role: str) -> None:
    validate("link.acknowledged", 1, {"link_id": "link-1", "role": role})


@pytest.mark.parametrize("role", ["", "Agent Testperson", "badge 17", "a" * 65])
def test_an_answer_names_no_worker(role: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate("link.acknowledged", 1, {"link_id": "link-1", "role": role})
    assert [pointer for pointer, _ in caught.value.problems] == ["/data/role"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("referral.advocacy_accepted", {"status": "received"}),
        ("advocate.information_shared", {"release_id": "rel-1"}),
        ("link.acknowledged", {"link_id": "link-1", "role": "hotline advocate", "status": "received"}),
        ("link.completed", {"link_id": "link-1", "role": "hotline advocate"}),
    ],
)
def test_advocacy_cannot_name_a_person_even_sealed(name: str, data: dict[str, object]) -> None:
    validate(name, 1, data)
    for extra in ({"parties": [{"role": "victim", "phone": "555-0101"}]}, {"source_document": "eJwDAAAAAAE="}):
        with pytest.raises(InvalidPayload):
            validate(name, 1, {**data, **extra})


def test_shared_information_needs_a_release() -> None:
    with pytest.raises(InvalidPayload) as caught:
        validate("advocate.information_shared", 1, {"content": "Invented."})
    assert caught.value.problems == (("/data/release_id", "is required"),)
