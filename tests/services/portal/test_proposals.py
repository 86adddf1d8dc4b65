"""Two cases that may be one: the tracking entity decides, over HTTP."""

from __future__ import annotations

import pytest

from tests.support.doors import an_event
from tests.support.portals import PLANTED, Portal, problem_of

COURT = ("court_case_no", "C-1")
INCIDENT = ("incident_no", "26-1")


@pytest.fixture
async def proposal_id(desk: Portal) -> str:
    for event in (an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,)), an_event(3, refs=(INCIDENT, COURT))):
        await desk.accept(event)
    (proposal,) = (await desk.get("/v1/proposals", "ccr")).json()["proposals"]
    assert (proposal["cause"], proposal["state"]) == ("shared_references", "waiting")
    return str(proposal["id"])


async def test_only_the_tracking_entity_sees_and_decides(desk: Portal, proposal_id: str) -> None:
    problem_of(await desk.get("/v1/proposals", "le"), 403)
    for decision in ("accept", "reject"):
        problem_of(await desk.post(f"/v1/proposals/{proposal_id}/{decision}", "le"), 403)
        problem_of(await desk.post(f"/v1/proposals/{PLANTED}/{decision}", "ccr"), 404)
    assert len((await desk.get("/v1/proposals", "ccr")).json()["proposals"]) == 1


async def test_accepted_the_cases_are_one(desk: Portal, proposal_id: str) -> None:
    response = await desk.post(f"/v1/proposals/{proposal_id}/accept", "ccr")
    assert (response.status_code, response.json()["status"]) == (202, "accepted")
    assert (await desk.get("/v1/proposals", "ccr")).json() == {"proposals": []}
    problem_of(await desk.post(f"/v1/proposals/{proposal_id}/reject", "ccr"), 404)
    problem_of(await desk.post(f"/v1/proposals/{proposal_id}/accept", "ccr"), 404)


async def test_rejected_they_stay_two(desk: Portal, proposal_id: str) -> None:
    response = await desk.post(f"/v1/proposals/{proposal_id}/reject", "ccr")
    assert (response.status_code, response.json()) == (200, {"id": proposal_id, "state": "rejected"})
    assert (await desk.get("/v1/proposals", "ccr")).json() == {"proposals": []}
