"""Protocol links over HTTP: who sees them, who may answer them, and how."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from ccr_events.core.ids import derived
from tests.support.doors import T0, an_event
from tests.support.portals import PLANTED, Portal, arrest, pointers, problem_of, report

ANSWERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("acknowledge", {"role": "arresting officer"}),
    ("complete", {"role": "arresting officer"}),
    ("waive", {"role": "patrol sergeant", "reason": "not_applicable"}),
)


@pytest.fixture
async def case_id(desk: Portal) -> str:
    case = await desk.accept(arrest())
    assert await desk.accept(report()) == case
    return case


async def listed(desk: Portal, caller: str, query: str = "") -> list[tuple[str, str]]:
    """(owing agency, rule) of each link."""
    response = await desk.get(f"/v1/links{query}", caller)
    assert response.status_code == 200, response.text
    return [(link["agency"], link["rule"]) for link in response.json()["links"]]


async def test_a_link_says_in_words_who_owes_what_by_when(desk: Portal, case_id: str) -> None:
    link = await desk.link(case_id, "L06a")
    assert (link["case_id"], link["agency"], link["role"], link["state"]) == (
        case_id,
        "le",
        "arresting officer",
        "opened",
    )
    assert link["rule_title"] == "Call the on-call advocate after an arrest"
    assert link["action"].startswith("Call the on-call advocate")
    assert link["due_at"].endswith("Z")
    assert link["references"] == [{"kind": "incident_no", "number": "26-0101"}]
    assert (await desk.get(f"/v1/links/{link['id']}", "le")).json() == link


async def test_an_agency_lists_what_it_owes_and_the_tracking_entity_everything(desk: Portal, case_id: str) -> None:
    everything = await listed(desk, "ccr")
    assert {("le", "L06a"), ("adv", "L06b"), ("le", "L09a")} <= set(everything)
    for agency in ("le", "adv", "jail", "bip"):
        owed = [link for link in everything if link[0] == agency]
        assert await listed(desk, agency) == owed
        assert await listed(desk, agency, f"?case_id={case_id}") == owed
        assert await listed(desk, "ccr", f"?agency={agency}") == owed
    assert await listed(desk, "adv", "?agency=le") == []
    assert await listed(desk, "ccr", "?limit=1") == everything[:1]


async def test_silence_shows_a_link_to_the_agency_it_escalates_to(desk: Portal) -> None:
    case_id = await desk.accept(an_event(3, "ofp.ex_parte_granted", refs=(("order_no", "O-1"),)), "civ")
    link = await desk.link(case_id, "L23c")
    path = f"/v1/links/{link['id']}"
    assert [(step["agency"], step["reached"]) for step in link["steps"][1:]] == [
        ("le", False),
        ("civ", False),
        ("ccr", False),
    ]
    problem_of(await desk.get(path, "civ"), 404)
    desk.clock.move_to(datetime.fromisoformat(link["steps"][2]["at"]))
    while (await desk.get(path, "ccr")).json()["escalated_to"] < 2:
        await asyncio.sleep(0.005)
    assert (await desk.get(path, "civ")).json()["overdue"] is True
    assert ("le", "L23c") in await listed(desk, "civ", f"?case_id={case_id}")
    problem_of(await desk.get(path, "bip"), 404)


async def test_the_limit_counts_visible_links_only(desk: Portal, case_id: str) -> None:
    assert await listed(desk, "adv", f"?case_id={case_id}&limit=1") == [("adv", "L06b")]


async def test_a_wrong_parameter_is_named_without_its_value(desk: Portal) -> None:
    for name, value in (("limit", "0"), ("limit", "1001"), ("limit", PLANTED), ("open_only", PLANTED)):
        assert pointers(problem_of(await desk.get("/v1/links", "le", **{name: value}), 400)) == [name]


async def test_another_agencys_link_and_none_at_all_look_the_same(desk: Portal, case_id: str) -> None:
    hidden, absent = (await desk.link(case_id, "L06a"))["id"], derived("no such link")
    for verb, body in ANSWERS:
        answers = [await desk.post(f"/v1/links/{one}/{verb}", "bip", body) for one in (hidden, absent)]
        assert problem_of(answers[0], 404) == problem_of(answers[1], 404)
    shown = [await desk.get(f"/v1/links/{one}", "bip") for one in (hidden, absent, PLANTED)]
    assert problem_of(shown[0], 404) == problem_of(shown[1], 404) == problem_of(shown[2], 404)


async def test_acknowledged_once_for_all(desk: Portal, case_id: str) -> None:
    path = f"/v1/links/{(await desk.link(case_id, 'L06b'))['id']}/acknowledge"
    body = {"role": "on-call advocate", "status": "on_call_assigned"}
    first = await desk.post(path, "adv", body)
    assert (first.status_code, first.json()["status"], first.json()["case_id"]) == (202, "accepted", case_id)
    desk.clock.move_to(T0 + timedelta(minutes=2))
    again = await desk.post(path, "adv", body)
    assert (again.status_code, again.json()) == (200, {**first.json(), "status": "duplicate"})
    assert (await desk.link(case_id, "L06b"))["acknowledged_at"] is not None


async def test_completed_where_the_policy_takes_the_word_for_the_act(desk: Portal, case_id: str) -> None:
    path = f"/v1/links/{(await desk.link(case_id, 'L09a'))['id']}/complete"
    response = await desk.post(path, "le", {"role": "records clerk", "note": PLANTED})
    assert response.status_code == 202
    assert (await desk.link(case_id, "L09a"))["state"] == "satisfied"
    again = await desk.post(path, "le", {"role": "records clerk", "note": PLANTED})
    assert again.status_code == 200
    other = await desk.post(path, "le", {"role": "patrol sergeant"})
    assert "satisfied" in problem_of(other, 409)["detail"]


async def test_not_completed_by_saying_so_where_an_event_tells_the_act(desk: Portal, case_id: str) -> None:
    link = await desk.link(case_id, "L06a")
    problem = problem_of(await desk.post(f"/v1/links/{link['id']}/complete", "le", {"role": link["role"]}), 409)
    assert "referral.advocacy_sent" in problem["detail"]


async def test_waived_only_by_a_role_that_the_policy_names(desk: Portal, case_id: str) -> None:
    path = f"/v1/links/{(await desk.link(case_id, 'L09a'))['id']}/waive"
    body = {"role": "patrol sergeant", "reason": "done_otherwise"}
    assert "chief's designee" in problem_of(await desk.post(path, "le", body), 403)["detail"]
    named = {**body, "role": "chief's designee"}
    problem_of(await desk.post(path, "ccr", named), 403)
    assert (await desk.post(path, "le", named)).status_code == 202
    assert (await desk.link(case_id, "L09a"))["state"] == "waived"


async def test_only_the_owing_agency_acknowledges_and_completes(desk: Portal, case_id: str) -> None:
    for rule in ("L06a", "L09a"):
        link = await desk.link(case_id, rule)
        response = await desk.post(f"/v1/links/{link['id']}/acknowledge", "ccr", {"role": link["role"]})
        assert "le owes it" in problem_of(response, 403)["detail"]


WRONG_ANSWERS: tuple[tuple[str, Any, list[str]], ...] = (
    ("acknowledge", {}, ["/role"]),
    ("acknowledge", {"role": PLANTED}, ["/role"]),
    ("acknowledge", {"role": "arresting officer", "status": PLANTED}, ["/status"]),
    ("acknowledge", {"role": "arresting officer", "note": PLANTED}, [""]),
    ("complete", {"role": "arresting officer", "note": ""}, ["/note"]),
    ("complete", {"role": "arresting officer", "outcome": PLANTED}, ["/outcome"]),
    ("waive", {"role": "patrol sergeant"}, ["/reason"]),
    ("waive", {"role": "patrol sergeant", "reason": PLANTED, PLANTED: 1}, ["/reason", ""]),
    ("waive", [PLANTED], [""]),
    ("waive", b"{", [""]),
)


async def test_a_wrong_answer_names_its_fields(desk: Portal, case_id: str) -> None:
    link = await desk.link(case_id, "L06a")
    for verb, body, expected in WRONG_ANSWERS:
        problem = problem_of(await desk.post(f"/v1/links/{link['id']}/{verb}", "le", body), 400)
        assert pointers(problem) == expected


async def test_an_answer_too_large_is_not_read(desk: Portal, case_id: str) -> None:
    link = await desk.link(case_id, "L06a")
    problem_of(await desk.post(f"/v1/links/{link['id']}/waive", "le", b" " * 70_000), 413)


async def test_the_prosecutor_acknowledges_the_report_that_police_owe_since_the_policy_names_its_answer(
    desk: Portal, case_id: str
) -> None:
    link = await desk.link(case_id, "L09a")
    assert link["agency"] == "le"
    path = f"/v1/links/{link['id']}"
    assert (await desk.get(path, "pros")).status_code == 200
    assert ("le", "L09a") in await listed(desk, "pros", f"?case_id={case_id}")
    for other in ("jail", "adv"):
        assert (await desk.get(path, other)).status_code == 404
        assert (await desk.post(f"{path}/acknowledge", other, {"role": "clerk"})).status_code == 404
    assert (await desk.post(f"{path}/complete", "pros", {"role": "clerk"})).status_code == 403
    response = await desk.post(f"{path}/acknowledge", "pros", {"role": "intake clerk"})
    assert response.status_code == 202, response.text
    assert (await desk.link(case_id, "L09a"))["state"] == "satisfied"
    again = await desk.post(f"{path}/acknowledge", "pros", {"role": "intake clerk"})
    assert again.json()["status"] == "duplicate"
