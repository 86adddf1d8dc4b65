"""What adapters, advocates and operators are promised, on each engine. Every test has cases of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from ccr_events.envelope import STRUCTURED, Event, write_structured
from tests.contract.backbones import UnderTest
from tests.support.doors import an_event, event_id, party
from tests.support.portals import PLANTED, pointers, problem_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
_numbers = count(1)


def fresh() -> tuple[int, tuple[tuple[str, str], ...]]:
    """A number for events (the next nine are free too), and the incident of a case of its own."""
    number = 10 * next(_numbers)
    return number, (("incident_no", f"26-{number}"),)


def arrest(number: int, refs: tuple[tuple[str, str], ...], **data: Any) -> Event:
    """Opens L06a (owed by police) and L06b (owed by advocacy), among others."""
    people = (party("suspect", f"Sam{number}"), party("victim", f"Vera{number}", PLANTED))
    return an_event(number, refs=refs, parties=people, dv="yes", **data)


async def told_of(backbone: UnderTest, case_id: str) -> list[Any]:
    return [each for each in await backbone.told() if each.transition.link.case_id == case_id]


async def test_sent_twice_it_is_counted_once_and_changed_it_is_refused(backbone: UnderTest) -> None:
    number, refs = fresh()
    first = await backbone.publish(arrest(number, refs))
    told = len(await backbone.told())
    again = await backbone.publish(arrest(number, refs))
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() | {"status": "accepted"} == first.json()
    assert len(await backbone.told()) == told
    problem_of(await backbone.publish(an_event(number, refs=refs, dv="no")), 409)


async def test_an_event_opens_links_and_an_answer_ends_what_it_answers(backbone: UnderTest) -> None:
    number, refs = fresh()
    case_id = await backbone.accept(arrest(number, refs))
    await backbone.accept(an_event(number + 1, "incident.reported", refs=refs, dv="yes"))
    links = await backbone.links(case_id)
    assert {"L06a", "L06b", "L09a"} <= links.keys()
    assert set((await backbone.links(case_id, "adv")).keys()) < links.keys()
    path, officer = f"/v1/links/{links['L09a']['id']}", {"role": "arresting officer"}
    for verb, state in (("acknowledge", "acknowledged"), ("complete", "satisfied")):
        answer = await backbone.post(f"{path}/{verb}", "le", officer)
        assert answer.status_code == 202, answer.text
        await backbone.settle()
        assert (await backbone.links(case_id))["L09a"]["state"] == state
    problem_of(await backbone.post(f"/v1/links/{links['L06a']['id']}/complete", "le", officer), 409)
    problem_of(await backbone.post(f"{path}/complete", "bip", {"role": "facilitator"}), 404)


async def test_arrival_order_does_not_matter(backbone: UnderTest) -> None:
    """A booking that comes before its arrest is in the same case; the links are those of the other order."""
    number, refs = fresh()
    number_2, refs_2 = fresh()
    made = [arrest(number, refs), an_event(number + 1, "incident.reported", refs=refs, dv="yes", minutes=20)]
    late = [arrest(number_2, refs_2), an_event(number_2 + 1, "incident.reported", refs=refs_2, dv="yes", minutes=20)]
    (case_id,) = {await backbone.accept(event) for event in made}
    (other,) = {await backbone.accept(event) for event in reversed(late)}
    assert (await backbone.links(case_id)).keys() == (await backbone.links(other)).keys()


async def test_a_retraction_takes_its_links_back(backbone: UnderTest) -> None:
    number, refs = fresh()
    case_id = await backbone.accept(arrest(number, refs))
    taken = an_event(number + 1, "event.retracted", corrects=number, minutes=5, reason="entered_in_error")
    assert await backbone.accept(taken) == case_id
    assert await backbone.links(case_id) == {}
    kinds = [each.transition.kind.value for each in await told_of(backbone, case_id)]
    assert kinds.count("opened") == kinds.count("cancelled") > 0


async def test_silence_becomes_overdue_and_climbs_the_ladder(backbone: UnderTest) -> None:
    number, refs = fresh()
    case_id = await backbone.accept(arrest(number, refs))
    link = (await backbone.links(case_id))["L06a"]
    steps = [datetime.fromisoformat(step["at"]) for step in link["steps"]]
    await backbone.pass_time(max(steps))
    after = (await backbone.links(case_id))["L06a"]
    assert after["overdue"]
    assert all(step["reached"] for step in after["steps"][: len(steps)])
    told = [each for each in await told_of(backbone, case_id) if each.transition.link.id == link["id"]]
    reached = [each.transition.step for each in told if each.transition.kind.value in ("overdue", "escalated")]
    assert reached == sorted(reached)
    assert len(reached) == len(set(reached)) >= len(steps)
    assert all(each.alerting for each in told)


async def test_history_alerts_nobody(backbone: UnderTest) -> None:
    number, refs = fresh()
    case_id = await backbone.accept(arrest(number, refs), alerting="false")
    told = await told_of(backbone, case_id)
    assert told
    assert not any(each.alerting for each in told)


async def test_what_is_refused_waits_and_is_repaired(backbone: UnderTest) -> None:
    number, refs = fresh()
    problem = problem_of(await backbone.publish(arrest(number, refs, arrest_type=PLANTED)), 422)
    assert pointers(problem) == ["/data/arrest_type"]
    held = problem["quarantine_id"]
    waiting = (await backbone.get("/v1/quarantine", "le")).json()["quarantined"]
    assert held in [entry["id"] for entry in waiting]
    assert held not in (await backbone.get("/v1/quarantine", "jail")).text
    repaired = write_structured(arrest(number, refs))
    response = await backbone.post(f"/v1/quarantine/{held}/redrive", "le", repaired, STRUCTURED)
    assert (response.status_code, response.json()["status"]) == (202, "accepted")
    await backbone.settle()
    assert "L06a" in await backbone.links(response.json()["case_id"])


async def test_of_a_batch_each_is_answered_for_itself(backbone: UnderTest) -> None:
    number, refs = fresh()
    wrong = arrest(number + 1, refs, arrest_type=PLANTED)
    response = await backbone.publish_all(arrest(number, refs), wrong, arrest(number, refs))
    assert response.status_code == 207
    receipts = response.json()["receipts"]
    assert [receipt["status"] for receipt in receipts] == ["accepted", "quarantined", "duplicate"]
    assert PLANTED not in response.text


async def test_who_may_not_is_told_so_and_learns_nothing(backbone: UnderTest) -> None:
    number, refs = fresh()
    case_id = await backbone.accept(arrest(number, refs))
    problem_of(await backbone.get("/v1/links", None), 401)
    problem_of(await backbone.publish(an_event(number + 1, "jail.booked", refs=refs), "le"), 403)
    nobody = problem_of(await backbone.get(f"/v1/cases/{event_id(1)}/timeline", "bip"), 404)
    assert problem_of(await backbone.get(f"/v1/cases/{case_id}/timeline", "bip"), 404) == nobody


async def test_two_cases_become_one_and_two_again(backbone: UnderTest) -> None:
    number, refs = fresh()
    court = (("court_case_no", f"C-{number}"),)
    kept = await backbone.accept(arrest(number, refs))
    other = await backbone.accept(an_event(number + 1, "charge.filed", refs=court, dv="yes", minutes=60), "pros")
    before = await backbone.made()
    await backbone.accept(an_event(number + 2, refs=(*refs, *court), minutes=70))
    proposals = (await backbone.get("/v1/proposals")).json()["proposals"]
    (proposal,) = [p for p in proposals if {p["case_id"], p["other_case_id"]} == {kept, other}]
    response = await backbone.post(f"/v1/proposals/{proposal['id']}/accept", "ccr", b"")
    assert response.status_code == 202, response.text
    merged = response.json()["event_id"]
    await backbone.settle()
    assert await backbone.accept(an_event(number + 3, "charge.filed", refs=court, minutes=80), "pros") == kept
    told = len(await backbone.told())
    undone = an_event(number + 4, "event.retracted", minutes=90, reason="entered_in_error")
    undone = Event(**{name: getattr(undone, name) for name in Event.__dataclass_fields__} | {"corrects": merged})
    assert (await backbone.publish(undone, "ccr")).status_code == 202
    assert len(await backbone.told()) - told <= 2
    after = await backbone.made()
    assert set(before.views) <= set(after.views)
    assert (await backbone.links(other)).keys() == {link["rule"] for link in _links_of(before, other)}


def _links_of(made: Any, case_id: str) -> list[dict[str, Any]]:
    import orjson

    return [link for link in orjson.loads(made.links) if link["case_id"] == case_id]


async def test_alerts_come_in_one_order_without_gaps(backbone: UnderTest) -> None:
    number, refs = fresh()
    await backbone.accept(arrest(number, refs))
    told = await backbone.told()
    assert [each.seq for each in told] == list(range(1, len(told) + 1))
    assert len({each.transition.id for each in told}) == len(told)
    middle = told[len(told) // 2].seq
    async for page in backbone.alerts.follow(middle):
        assert page[0].seq == middle + 1
        break


async def test_time_passes_for_all_cases(backbone: UnderTest) -> None:
    """Several links reach the same instant; each is told of once."""
    cases = []
    for _ in range(3):
        number, refs = fresh()
        cases.append(await backbone.accept(arrest(number, refs)))
    await backbone.pass_time(backbone.clock.now() + timedelta(days=1))
    for case_id in cases:
        told = [(t.transition.link.id, t.transition.kind, t.transition.step) for t in await told_of(backbone, case_id)]
        assert len(told) == len(set(told))
        assert (await backbone.links(case_id))["L06a"]["overdue"]
