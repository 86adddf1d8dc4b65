"""What was refused, over HTTP: each agency sees, opens, repairs and sets aside its own."""

from __future__ import annotations

import orjson
import pytest

from ccr_events.envelope import STRUCTURED, write_structured
from tests.support.doors import an_event
from tests.support.portals import PLANTED, Portal, arrest, pointers, problem_of

VERBS = ("open", "redrive", "discard")


@pytest.fixture
async def held(desk: Portal) -> str:
    """Id of an event of the police that was refused."""
    return str(problem_of(await desk.publish(arrest(arrest_type=PLANTED)), 422)["quarantine_id"])


async def waiting(desk: Portal, agency: str) -> list[str]:
    response = await desk.get("/v1/quarantine", agency)
    assert PLANTED not in response.text
    return [entry["id"] for entry in response.json()["quarantined"]]


async def test_each_agency_lists_its_own_and_the_tracking_entity_all(desk: Portal, held: str) -> None:
    assert await waiting(desk, "le") == [held]
    assert await waiting(desk, "ccr") == [held]
    assert await waiting(desk, "jail") == []
    (entry,) = (await desk.get("/v1/quarantine", "le", limit=1)).json()["quarantined"]
    assert (entry["agency"], entry["type"], entry["state"]) == ("le", "arrest.made", "waiting")
    assert pointers(entry) == ["/data/arrest_type"]


async def test_another_agencys_entry_and_none_at_all_look_the_same(desk: Portal, held: str) -> None:
    for verb in VERBS:
        hidden = problem_of(await desk.post(f"/v1/quarantine/{held}/{verb}", "jail"), 404)
        assert hidden == problem_of(await desk.post(f"/v1/quarantine/{PLANTED}/{verb}", "jail"), 404)
    assert await waiting(desk, "le") == [held]


async def test_opened_for_repair_it_is_what_was_submitted(desk: Portal, held: str) -> None:
    response = await desk.post(f"/v1/quarantine/{held}/open", "le", {"purpose": "repair"})
    assert response.headers["cache-control"] == "no-store"
    assert orjson.loads(response.content) == write_structured(arrest(arrest_type=PLANTED))
    problem_of(await desk.post(f"/v1/quarantine/{held}/open", "le", {"purpose": PLANTED}), 400)


async def test_repaired_it_is_accepted_and_no_longer_waits(desk: Portal, held: str) -> None:
    repaired = write_structured(arrest())
    response = await desk.post(f"/v1/quarantine/{held}/redrive", "le", repaired, STRUCTURED)
    assert (response.status_code, response.json()["status"]) == (202, "accepted")
    assert await waiting(desk, "le") == []
    for verb in ("redrive", "discard"):
        problem_of(await desk.post(f"/v1/quarantine/{held}/{verb}", "le"), 409)


async def test_redriven_as_it_was_it_is_refused_again_and_goes_on_waiting(desk: Portal, held: str) -> None:
    problem = problem_of(await desk.post(f"/v1/quarantine/{held}/redrive", "le"), 422)
    assert (problem["quarantine_id"], pointers(problem)) == (held, ["/data/arrest_type"])
    problem_of(await desk.post(f"/v1/quarantine/{held}/redrive", "le", b"{", STRUCTURED), 422)
    problem_of(await desk.post(f"/v1/quarantine/{held}/redrive", "le", b" " * 2_000_000, STRUCTURED), 413)
    assert await waiting(desk, "le") == [held]


async def test_set_aside_it_no_longer_waits(desk: Portal, held: str) -> None:
    response = await desk.post(f"/v1/quarantine/{held}/discard", "le")
    assert (response.status_code, response.json()) == (200, {"id": held, "state": "discarded"})
    assert await waiting(desk, "le") == []


async def test_an_advocacy_programs_bytes_stay_with_the_program(desk: Portal) -> None:
    problem = problem_of(await desk.publish(an_event(1, "referral.advocacy_accepted", status=PLANTED), "adv"), 422)
    path = f"/v1/quarantine/{problem['quarantine_id']}"
    problem_of(await desk.post(f"{path}/open", "adv"), 410)
    problem_of(await desk.post(f"{path}/redrive", "adv"), 410)
    repaired = write_structured(an_event(1, "referral.advocacy_accepted", status="received"))
    assert (await desk.post(f"{path}/redrive", "adv", repaired, STRUCTURED)).status_code == 202
