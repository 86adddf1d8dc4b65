"""A case's timeline, and sealed fields opened one event at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from ccr_events.core.ids import derived
from tests.support.doors import an_event, event_id
from tests.support.portals import INCIDENT, PLANTED, STREET, Portal, arrest, pointers, portal, problem_of


@pytest.fixture
async def case_id(desk: Portal) -> str:
    return await desk.accept(arrest())


async def audited(desk: Portal) -> list[dict[str, Any]]:
    entries = await desk.backbone.writer.read(lambda tx: tx.audit.entries(0, 100))
    return [orjson.loads(entry) for _, _, entry in entries]


async def test_timeline_is_open_skeletons_and_says_what_is_sealed(desk: Portal, case_id: str) -> None:
    response = await desk.get(f"/v1/cases/{case_id}", "le")
    assert response.status_code == 200
    assert PLANTED not in response.text
    assert STREET not in response.text
    case = response.json()
    (entry,) = case["timeline"]
    assert (case["case_id"], entry["id"], entry["type"], entry["agency"]) == (
        case_id,
        event_id(1),
        "arrest.made",
        "le",
    )
    assert entry["occurred_at"] == "2026-03-01T22:00:00Z"
    assert entry["data"]["references"][0]["number"] == "26-0101"
    assert entry["sealed"] == ["VID", "VLOC"]
    assert "L06a" in [link["rule"] for link in case["links"]]


async def test_a_case_is_seen_by_those_with_a_part_in_it(desk: Portal, case_id: str) -> None:
    assert (await desk.get(f"/v1/cases/{case_id}", "ccr")).status_code == 200
    owing = (await desk.get(f"/v1/cases/{case_id}", "adv")).json()
    assert {link["agency"] for link in owing["links"]} == {"adv"}
    hidden = problem_of(await desk.get(f"/v1/cases/{case_id}", "bip"), 404)
    assert hidden == problem_of(await desk.get(f"/v1/cases/{derived('none')}", "bip"), 404)
    problem_of(await desk.get(f"/v1/cases/{derived('none')}", "ccr"), 404)


async def test_what_is_said_of_a_link_is_shown_with_the_link(desk: Portal, case_id: str) -> None:
    link = await desk.link(case_id, "L06b")
    said = an_event(5, "link.acknowledged", link_id=link["id"], role="on-call advocate", status="on_call_assigned")
    await desk.accept(said, "adv")
    for agency, sees in (("adv", True), ("ccr", True), ("le", False), ("jail", False)):
        timeline = (await desk.get(f"/v1/cases/{case_id}", agency)).json()["timeline"]
        assert (event_id(5) in {entry["id"] for entry in timeline}) is sees, agency


@pytest.mark.parametrize(
    ("agency", "sees"), [("adv", True), ("pros", True), ("le", False), ("jail", False), ("ccr", False)]
)
async def test_that_an_advocate_shared_something_is_shown_to_whom_it_was_released(
    tmp_path: Path, agency: str, sees: bool
) -> None:
    async with portal(tmp_path, release_is_live=lambda release_id, at: True) as desk:
        case_id = await desk.accept(arrest(dual_arrest=True))
        shared = an_event(5, "advocate.information_shared", refs=INCIDENT, release_id="R-1", recipients=["pros"])
        await desk.accept(shared, "adv")
        timeline = (await desk.get(f"/v1/cases/{case_id}", agency)).json()["timeline"]
        assert (event_id(5) in {entry["id"] for entry in timeline}) is sees


async def test_publishing_into_a_case_opens_it(desk: Portal, case_id: str) -> None:
    problem_of(await desk.get(f"/v1/cases/{case_id}", "psap"), 404)
    await desk.accept(an_event(9, "call.closed", refs=INCIDENT, disposition="report"), "psap")
    assert len((await desk.get(f"/v1/cases/{case_id}", "psap")).json()["timeline"]) == 2


async def test_sealed_fields_are_opened_to_who_may_and_every_read_is_audited(desk: Portal, case_id: str) -> None:
    assert case_id
    path = f"/v1/events/{event_id(1)}/open"
    opened = await desk.post(path, "le", {"labels": ["VID", "VLOC"], "purpose": "investigation"})
    assert opened.status_code == 200
    assert opened.headers["cache-control"] == "no-store"
    assert opened.json()["fields"]["VLOC"] == {"/parties/1/address": STREET}
    assert PLANTED in str(opened.json()["fields"]["VID"])
    refused = await desk.post(path, "bip", {"labels": ["VID"], "purpose": "supervision"})
    assert refused.json()["fields"] == {}
    assert "no part in this case" in refused.json()["denied"]["VID"]
    entries = await audited(desk)
    assert [(e["reader"], e["outcome"], e["labels"]) for e in entries] == [
        ("le", "granted", ["VID", "VLOC"]),
        ("bip", "denied", ["VID"]),
    ]


async def test_no_such_event(desk: Portal) -> None:
    problem_of(await desk.post(f"/v1/events/{event_id(7)}/open", "le", {"labels": ["VID"], "purpose": "safety"}), 404)


async def test_an_unknown_label_or_purpose_is_refused_and_nothing_opened(desk: Portal, case_id: str) -> None:
    assert case_id
    wrong: tuple[tuple[dict[str, Any], list[str]], ...] = (
        ({}, ["/labels", "/purpose"]),
        ({"labels": [], "purpose": "safety"}, ["/labels"]),
        ({"labels": ["VID", PLANTED], "purpose": "safety"}, ["/labels/1"]),
        ({"labels": ["VID"], "purpose": PLANTED}, ["/purpose"]),
    )
    for body, expected in wrong:
        assert pointers(problem_of(await desk.post(f"/v1/events/{event_id(1)}/open", "le", body), 400)) == expected
    assert await audited(desk) == []


async def test_no_browser_keeps_what_a_key_was_needed_for(desk: Portal, case_id: str) -> None:
    for path in ("/v1/links", f"/v1/cases/{case_id}", "/v1/quarantine", "/v1/proposals", "/v1/key"):
        assert (await desk.get(path, "ccr")).headers["cache-control"] == "no-store"


async def test_every_address_of_cases_needs_a_key(desk: Portal, case_id: str) -> None:
    for path in ("/v1/links", f"/v1/cases/{case_id}", "/v1/quarantine", "/v1/proposals", "/v1/alerts", "/v1/key"):
        problem_of(await desk.get(path), 401)
    problem_of(await desk.post(f"/v1/events/{event_id(1)}/open", None, {"labels": ["VID"], "purpose": "safety"}), 401)


async def test_an_open_field_is_shown_only_to_those_the_matrix_names(desk: Portal, case_id: str) -> None:
    screened = an_event(
        7, "risk.screened", refs=INCIDENT, instrument="DA_LE", instrument_version="1", score=19, level="extreme"
    )
    await desk.accept(screened)
    await desk.accept(an_event(8, "bip.session_recorded", refs=INCIDENT, present=False, excused=False), "bip")

    async def seen(agency: str) -> dict[str, dict[str, Any]]:
        timeline = (await desk.get(f"/v1/cases/{case_id}", agency)).json()["timeline"]
        return {entry["type"]: entry["data"] for entry in timeline}

    for agency, reads_risk, reads_attendance in (
        ("le", True, True),
        ("pros", True, True),
        ("adv", True, True),
        ("jail", False, False),
        ("bip", False, True),
        ("ccr", False, False),
    ):
        data = await seen(agency)
        assert ("score" in data["risk.screened"]) is reads_risk, agency
        assert ("level" in data["risk.screened"]) is reads_risk, agency
        assert data["risk.screened"]["instrument"] == "DA_LE"
        assert ("present" in data["bip.session_recorded"]) is reads_attendance, agency
        assert data["bip.session_recorded"]["references"][0]["number"] == "26-0101"


async def test_a_merged_case_shows_the_events_that_were_carried_to_it(desk: Portal, case_id: str) -> None:
    other = await desk.accept(an_event(2, refs=(("incident_no", "26-0102"),)))
    await desk.accept(an_event(9, "case.merged", case_id=other, into=case_id), "ccr")
    timeline = (await desk.get(f"/v1/cases/{case_id}", "le")).json()["timeline"]
    assert [(e["id"], e["agency"]) for e in timeline if e["type"] == "arrest.made"] == [
        (event_id(1), "le"),
        (event_id(2), "le"),
    ]
    assert "data_json" not in str(timeline)
