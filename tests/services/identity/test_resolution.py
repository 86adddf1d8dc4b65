"""Which case an event goes to, on the real engine."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.envelope import Event, decode_record
from services.engine.ports import FieldProblem
from services.engine.transaction import MergeProposal
from services.identity import placement
from tests.support.doors import Doorway, an_event, doorway, event_id, party

SAM = party("suspect", "Sam", born="1990-01-01")
VERA = party("victim", "Vera", born="1991-02-02")
INCIDENT = ("incident_no", "26-1")
COURT = ("court_case_no", "C-1")


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        yield way


async def proposals(way: Doorway) -> list[MergeProposal]:
    return await way.engine.writer.read(lambda tx: tx.cases.proposals("waiting", 100))


async def cases_of(way: Doorway, *events: Event) -> list[str]:
    return [str(r.case_id) for r in await way.accept(*events)]


async def test_events_that_share_a_reference_share_a_case(way: Doorway) -> None:
    first, second, third = await cases_of(
        way, an_event(1, refs=(INCIDENT,)), an_event(2, refs=(INCIDENT, COURT)), an_event(3, refs=(COURT,))
    )
    assert first == second == third
    assert await proposals(way) == []


async def test_same_number_of_another_kind_or_issuer_is_another_case(way: Doorway) -> None:
    other_issuer = an_event(3)
    other_issuer.data["references"] = [{"kind": "incident_no", "number": "26-1", "issuer": "MN0690000"}]
    cases = await cases_of(way, an_event(1, refs=(INCIDENT,)), an_event(2, refs=(("order_no", "26-1"),)), other_issuer)
    assert len(set(cases)) == 3


async def test_event_that_points_nowhere_gets_a_case_derived_from_its_id(way: Doorway) -> None:
    [case_id] = await cases_of(way, an_event(1))
    with TemporaryDirectory() as other:
        async with doorway(Path(other)) as elsewhere:
            assert await cases_of(elsewhere, an_event(1)) == [case_id]


async def test_same_suspect_and_victim_are_the_same_case_without_a_shared_number(way: Doorway) -> None:
    accented = party("victim", "VÉRA", surname="TEST-PERSON", born="1991-02-02")
    first, second = await cases_of(
        way, an_event(1, refs=(INCIDENT,), parties=(SAM, VERA)), an_event(2, refs=(COURT,), parties=(accented, SAM))
    )
    assert first == second


async def test_same_suspect_with_another_victim_is_another_case_and_nothing_is_proposed(way: Doorway) -> None:
    other = party("victim", "Una", surname="Otherperson", born="1985-05-05")
    cases = await cases_of(way, an_event(1, parties=(SAM, VERA)), an_event(2, parties=(SAM, other)))
    assert len(set(cases)) == 2
    assert await proposals(way) == []


async def test_names_without_birth_dates_never_decide(way: Doorway) -> None:
    people = (party("suspect", "Sam"), party("victim", "Vera"))
    first, second = await cases_of(way, an_event(1, parties=people), an_event(2, parties=people))
    assert first != second
    [proposal] = await proposals(way)
    assert (proposal.cause, proposal.case_id, proposal.other_case_id) == ("similar_parties", first, second)


async def test_event_naming_references_of_two_cases_goes_to_the_earlier_and_is_proposed(way: Doorway) -> None:
    first, second = await cases_of(way, an_event(1, refs=(COURT,)), an_event(2, refs=(INCIDENT,)))
    [both] = await cases_of(way, an_event(3, refs=(INCIDENT, COURT)))
    assert both == first
    [proposal] = await proposals(way)
    assert (proposal.case_id, proposal.other_case_id) == (first, second)
    assert (proposal.cause, proposal.score, proposal.event_id) == ("shared_references", 100, event_id(3))
    await way.accept(an_event(4, refs=(INCIDENT, COURT)))
    assert await proposals(way) == [proposal]


async def test_same_people_under_a_reference_of_another_case_are_proposed(way: Doorway) -> None:
    first, second = await cases_of(way, an_event(1, refs=(INCIDENT,), parties=(SAM, VERA)), an_event(2, refs=(COURT,)))
    [third] = await cases_of(way, an_event(3, refs=(COURT,), parties=(SAM, VERA)))
    assert third == second
    [proposal] = await proposals(way)
    assert (proposal.cause, {proposal.case_id, proposal.other_case_id}) == ("same_parties", {first, second})


async def test_reversed_roles_are_proposed_and_never_decided(way: Doorway) -> None:
    turned = (party("victim", "Sam", born="1990-01-01"), party("suspect", "Vera", born="1991-02-02"))
    first, second = await cases_of(way, an_event(1, parties=(SAM, VERA)), an_event(2, parties=turned))
    assert first != second
    [proposal] = await proposals(way)
    assert (proposal.cause, proposal.score) == ("same_parties", 90)


async def test_similar_people_are_proposed_and_never_decided(way: Doorway) -> None:
    misspelt = (party("suspect", "Sam", surname="Testpersen", born="1990-01-01"), VERA)
    first, second = await cases_of(way, an_event(1, parties=(SAM, VERA)), an_event(2, parties=misspelt))
    assert first != second
    [proposal] = await proposals(way)
    assert proposal.cause == "similar_parties"
    assert 80 <= proposal.score < 100


async def test_named_case_must_exist(way: Doorway) -> None:
    [receipt] = await way.submit(an_event(1, case_id="no-such-case"))
    assert receipt.status == "quarantined"
    assert [p.pointer for p in receipt.problems] == ["/caseid"]
    assert "no-such-case" not in repr(receipt)


async def test_named_case_goes_before_references_and_their_case_is_proposed(way: Doorway) -> None:
    first, second = await cases_of(way, an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,)))
    [named] = await cases_of(way, an_event(3, refs=(INCIDENT,), case_id=second))
    assert named == second
    assert [{p.case_id, p.other_case_id} for p in await proposals(way)] == [{first, second}]


async def test_event_without_references_follows_the_event_that_caused_it(way: Doorway) -> None:
    first, second = await cases_of(way, an_event(1, refs=(INCIDENT,)), an_event(2, causes=1))
    assert second == first


async def test_advocacy_answers_a_referral_by_the_referrals_id_alone(way: Doorway) -> None:
    [sent] = await cases_of(way, an_event(1, "referral.advocacy_sent", refs=(INCIDENT,), urgency="scene"))
    answer = an_event(2, "referral.advocacy_accepted", status="received", referral=event_id(1))
    assert (await way.accept(answer, agency="adv"))[0].case_id == sent


@pytest.mark.parametrize("late", [False, True])
async def test_correction_and_corrected_share_a_case_in_either_order(way: Doorway, *, late: bool) -> None:
    original, correction = an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,), corrects=1)
    cases = await cases_of(way, *((correction, original) if late else (original, correction)))
    assert cases[0] == cases[1]


async def test_chain_of_corrections_that_arrives_backwards_is_one_case(way: Doorway) -> None:
    cases = await cases_of(way, an_event(3, corrects=2), an_event(2, corrects=1), an_event(1, refs=(INCIDENT,)))
    assert len(set(cases)) == 1


async def test_nobody_corrects_another_agencys_event(way: Doorway) -> None:
    await way.accept(an_event(1, refs=(INCIDENT,)))
    [receipt] = await way.submit(an_event(2, "jail.booked", corrects=1), agency="jail")
    assert (receipt.status, receipt.problems[0].pointer) == ("quarantined", "/corrects")


async def test_an_answer_and_an_event_of_another_kind_never_correct_each_other(way: Doorway) -> None:
    """What is said of a link stays when a case's facts move: a chain of both would be in two cases."""
    [opened] = await way.accept(an_event(1, "arrest.made", refs=(INCIDENT,), dv="yes"))
    [link, *_] = await way.engine.links.links(agency="le", case_id=opened.case_id)
    [answer] = await way.accept(an_event(2, "link.acknowledged", link_id=link.id, role=link.role))
    [crossing] = await way.submit(an_event(3, refs=(INCIDENT,), corrects=2))
    assert answer.status == "accepted"
    assert (crossing.status, crossing.problems[0].pointer) == ("quarantined", "/corrects")
    await way.accept(an_event(4, "event.retracted", corrects=2, reason="entered_in_error"))


async def test_an_answer_and_an_event_of_another_kind_never_correct_each_other_the_other_way_round(
    way: Doorway,
) -> None:
    [opened] = await way.accept(an_event(1, "arrest.made", refs=(INCIDENT,), dv="yes"))
    [link, *_] = await way.engine.links.links(agency="le", case_id=opened.case_id)
    await way.accept(an_event(3, refs=(INCIDENT,), corrects=2))
    [answer] = await way.submit(an_event(2, "link.acknowledged", link_id=link.id, role=link.role))
    assert (answer.status, answer.problems[0].pointer) == ("quarantined", "/corrects")


async def test_another_agencys_early_correction_does_not_draw_an_event_into_its_case(way: Doorway) -> None:
    [foreign] = await way.accept(an_event(2, "jail.booked", corrects=1), agency="jail")
    [original] = await way.accept(an_event(1))
    assert original.case_id != foreign.case_id


async def test_party_tokens_are_stamped_on_the_open_skeleton(way: Doorway) -> None:
    witness = party("witness", "Wim", born="1980-01-01")
    events = an_event(1, parties=(witness, SAM, party("victim", "Vera"))), an_event(2, refs=(INCIDENT,), parties=(SAM,))
    await way.accept(*events)
    first, second = [decode_record(r.body)["data"]["parties"] for r in await way.engine.log.read(0)]
    assert "token" not in first[0]
    assert first[1]["token"] == second[0]["token"]
    assert "token" not in first[2]


async def test_publishers_racing_for_one_reference_end_in_one_case(way: Doorway) -> None:
    events = [an_event(n, refs=(INCIDENT,), parties=(SAM, VERA)) for n in range(60)]
    receipts = await asyncio.gather(*(way.submit(event) for event in events))
    assert {r.status for [r] in receipts} == {"accepted"}
    assert len({r.case_id for [r] in receipts}) == 1
    assert sorted(r.position or 0 for [r] in receipts) == list(range(1, 61))
    assert await proposals(way) == []


REPORTS = st.lists(
    st.sets(st.sampled_from(["26-1", "26-2", "26-3", "26-4", "26-5"]), max_size=3), min_size=1, max_size=7
)


@settings(max_examples=25, deadline=None)
@given(reports=REPORTS, data=st.data())
async def test_whatever_the_order_of_arrival_cases_and_proposals_join_what_shares_references(
    reports: list[set[str]], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(reports))))
    with TemporaryDirectory() as directory:
        async with doorway(Path(directory)) as way:
            events = [an_event(n, refs=tuple(("incident_no", r) for r in sorted(reports[n]))) for n in order]
            receipts = await way.accept(*events)
            joined = _joined([(str(r.case_id), event.id) for r, event in zip(receipts, events, strict=True)]
                             + [(p.case_id, p.other_case_id) for p in await proposals(way)])  # fmt: skip
    expected = _joined([(event.id, number) for event in events for number in reports[order[events.index(event)]]])
    for one in events:
        for other in events:
            together = one is other or (one.id in expected and expected[one.id] == expected.get(other.id))
            assert (joined[one.id] == joined[other.id]) is together


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Each word → the smallest word it is connected with."""
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in pairs:
        near[one].add(other)
        near[other].add(one)
    found: dict[str, str] = {}
    for start in sorted(near):
        waiting = [start]
        while waiting:
            word = waiting.pop()
            if word not in found:
                found[word] = start
                waiting += near[word]
    return found


def split_of(number: int, case_id: str, into: str, *numbers: tuple[str, str], corrects: int | None = None) -> Event:
    moved = [{"kind": kind, "number": n} for kind, n in numbers]
    return an_event(number, "case.split", case_id=case_id, corrects=corrects, into=into, moved=moved)


async def test_what_a_split_moves_is_not_moved_by_another(way: Doorway) -> None:
    case, _ = await cases_of(way, an_event(1, refs=(INCIDENT, COURT)), an_event(2, refs=(("booking_no", "B-1"),)))
    await way.accept(split_of(3, case, "elsewhere", INCIDENT), agency="ccr")
    for number, reference in ((4, INCIDENT), (5, COURT)):
        [refused] = await way.submit(split_of(number, case, "third", reference), agency="ccr")
        assert (refused.status, [p.pointer for p in refused.problems]) == ("quarantined", ["/data/moved"])
    await way.accept(split_of(6, case, "third", COURT, corrects=3), agency="ccr")


async def test_a_merged_case_is_split_where_it_went(way: Doorway) -> None:
    case, other = await cases_of(way, an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,)))
    await way.accept(an_event(3, "case.merged", case_id=case, into=other), agency="ccr")
    [refused] = await way.submit(split_of(4, case, "third", INCIDENT), agency="ccr")
    assert (refused.status, [p.pointer for p in refused.problems]) == ("quarantined", ["/caseid"])
    await way.accept(split_of(5, other, "third", INCIDENT), agency="ccr")


@pytest.mark.parametrize(
    "event",
    [
        an_event(1, parties=(party("victim", "Vera", born="1990-01-01"),)),
        an_event(1, parties=({"role": "suspect"}, {"role": "victim"})),
        an_event(1, causes=99),
        an_event(1, "call.received", causes=99, nature="dv_in_progress"),
    ],
    ids=["one person", "people without names", "what it follows from is not known", "a call"],
)
async def test_an_event_that_says_nothing_of_its_case_is_refused_with_what_to_give(way: Doorway, event: Event) -> None:
    [receipt] = await way.submit(event, agency="psap" if event.type == "call.received" else "le")
    assert (receipt.status, receipt.title) == ("quarantined", "belongs to no case as it stands")
    assert receipt.problems == (FieldProblem("/data/references", placement.NOTHING_TO_FIND_IT_BY),)
    assert receipt.quarantine_id is not None


@pytest.mark.parametrize(
    "event",
    [
        an_event(2, refs=(("booking_no", "B-1"),)),
        an_event(2, parties=(party("suspect", "Kim"), party("victim", "Ann"))),
        an_event(2, corrects=99),
        an_event(2, causes=1),
    ],
    ids=["a number", "both people", "it corrects one to come", "it follows from one that is known"],
)
async def test_an_event_that_says_anything_of_its_case_is_taken_in(way: Doorway, event: Event) -> None:
    await way.accept(an_event(1, refs=(INCIDENT,)))
    await way.accept(event)
