"""A person decides whether two cases are one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ccr_events.core.ids import merge_event_id
from ccr_events.envelope import Event, decode_record
from services.engine.ports import AuthenticatedKey, Submission
from services.engine.transaction import NewRecord, Transaction
from services.identity.proposals import KEY_ID, DecisionRefused, MergeProposals
from tests.support.doors import Doorway, an_event, doorway, party

INCIDENT = ("incident_no", "26-1")
COURT = ("court_case_no", "C-1")
CCR = AuthenticatedKey("0123456789abcdef", "ccr")


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        await way.accept(an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,)), an_event(3, refs=(INCIDENT, COURT)))
        yield way


def desk(way: Doorway) -> MergeProposals:
    return MergeProposals(way.engine.writer, way.door, way.clock)


async def cases(way: Doorway, *numbers: int) -> list[str]:
    by_id = {r.event_id: r.case_id for r in await way.engine.log.read(0)}
    return [by_id[an_event(n).id] for n in numbers]


async def test_accepted_proposal_merges_the_newer_case_into_the_older(way: Doorway) -> None:
    older, newer = await cases(way, 1, 2)
    [proposal] = await desk(way).waiting()
    receipt = await desk(way).accept(proposal.id, by=CCR)
    assert receipt is not None
    assert (receipt.status, receipt.case_id) == ("accepted", newer)
    merged = decode_record((await way.engine.log.of_case(newer))[-1].body)
    assert (merged["type"], merged["agency"], merged["data"]["into"]) == ("case.merged", "ccr", older)
    assert await desk(way).waiting() == []
    [after] = await way.accept(an_event(4, refs=(COURT,)))
    assert after.case_id == older


async def test_deciding_twice_merges_once(way: Doorway) -> None:
    [proposal] = await desk(way).waiting()
    both = desk(way)
    receipts = await asyncio.gather(both.accept(proposal.id, by=CCR), both.accept(proposal.id, by=CCR))
    assert [r is None for r in receipts] == [False, True]
    assert await both.reject(proposal.id, by=CCR) is False


async def test_merge_published_before_a_crash_is_only_marked(way: Doorway) -> None:
    older, newer = await cases(way, 1, 2)
    [proposal] = await desk(way).waiting()
    merge = Event(id=merge_event_id(proposal.id), source="/x", type="case.merged", occurred_at=way.clock.now(),
                  data={"into": older}, case_id=newer)  # fmt: skip
    await way.door.submit([Submission(merge, "ccr", KEY_ID)])
    receipt = await desk(way).accept(proposal.id, by=CCR)
    assert receipt is not None
    assert receipt.status == "duplicate"
    assert await desk(way).waiting() == []


async def test_rejected_pair_stays_apart_and_is_not_proposed_again(way: Doorway) -> None:
    [proposal] = await desk(way).waiting()
    assert await desk(way).reject(proposal.id, by=CCR) is True
    await way.accept(an_event(4, refs=(INCIDENT, COURT)))
    assert await desk(way).waiting() == []
    older, newer = await cases(way, 1, 2)
    assert older != newer


async def test_only_the_tracking_entity_decides(way: Doorway) -> None:
    [proposal] = await desk(way).waiting()
    for decide in (desk(way).accept, desk(way).reject):
        with pytest.raises(DecisionRefused, match="le cannot decide"):
            await decide(proposal.id, by=AuthenticatedKey("0123456789abcdef", "le"))


async def test_decision_is_audited(way: Doorway) -> None:
    [proposal] = await desk(way).waiting()
    await desk(way).accept(proposal.id, by=CCR)
    entries = await way.engine.writer.read(lambda tx: tx.audit.entries(0, 10))
    assert b'"act":"accepted"' in entries[-1][2]
    assert CCR.key_id.encode() in entries[-1][2]


async def test_unknown_proposal_is_none(way: Doorway) -> None:
    assert await desk(way).accept("no such", by=CCR) is None


async def test_correction_and_answer_stay_beside_what_they_are_about_after_a_merge(way: Doorway) -> None:
    older, newer = await cases(way, 1, 2)
    [proposal] = await desk(way).waiting()
    await desk(way).accept(proposal.id, by=CCR)
    [correction] = await way.accept(an_event(5, corrects=2))
    assert correction.case_id == newer
    link = next(iter(await way.engine.links.links(case_id=older)))
    ack = an_event(6, "link.acknowledged", link_id=link.id, role="officer", case_id=older)
    [receipt] = await way.accept(ack, agency=link.agency)
    assert receipt.case_id == link.case_id


async def test_correction_in_a_merged_case_is_no_evidence_against_the_case_that_survived(tmp_path: Path) -> None:
    async with doorway(tmp_path / "other") as way:
        older, newer = [r.case_id for r in await way.accept(an_event(1, refs=(INCIDENT,)), an_event(2, refs=(COURT,)))]
        await way.accept(an_event(3, "case.merged", into=older, case_id=newer), agency="ccr")
        await way.accept(an_event(4, corrects=2, refs=(COURT, INCIDENT)))
        assert await desk(way).waiting() == []


async def test_retracted_merge_sends_later_events_to_the_old_case_again(way: Doorway) -> None:
    _, newer = await cases(way, 1, 2)
    [proposal] = await desk(way).waiting()
    receipt = await desk(way).accept(proposal.id, by=CCR)
    assert receipt is not None
    retraction = replace(an_event(7, "event.retracted", reason="entered_in_error"), corrects=receipt.event_id)
    await way.accept(retraction, agency="ccr")
    [after] = await way.accept(an_event(8, refs=(COURT,)))
    assert after.case_id == newer


async def test_merges_that_lead_nowhere_are_refused(way: Doorway) -> None:
    older, newer = await cases(way, 1, 2)
    [other] = [r.case_id for r in await way.accept(an_event(9, refs=(("order_no", "O-1"),)))]
    wrong = [
        (an_event(20, "case.merged", into=older, case_id=older), "/data/into"),
        (an_event(21, "case.merged", into="no-such-case", case_id=older), "/data/into"),
        (an_event(22, "case.merged", into=older), "/caseid"),
    ]
    for event, pointer in wrong:
        [receipt] = await way.submit(event, agency="ccr")
        assert (receipt.status, [p.pointer for p in receipt.problems]) == ("quarantined", [pointer])
    await way.accept(an_event(23, "case.merged", into=older, case_id=newer), agency="ccr")
    again, into_merged = await way.submit(
        an_event(24, "case.merged", into=other, case_id=newer),
        an_event(25, "case.merged", into=newer, case_id=other),
        agency="ccr",
    )
    assert (again.status, again.problems[0].pointer) == ("quarantined", "/caseid")
    assert (into_merged.status, into_merged.problems[0].pointer) == ("quarantined", "/data/into")


async def test_people_of_a_batch_that_was_undone_are_still_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = party("victim", "Jane", born="1982-03-04")
    pair = (party("suspect", "Jon", born="1980-01-02"), victim)
    nearly = (party("suspect", "John", born="1980-01-02"), victim)
    async with doorway(tmp_path) as way:
        append, calls = way.door._append, 0

        def breaks_once(tx: Transaction, record: NewRecord) -> int:
            nonlocal calls
            calls += 1
            if calls == 3:
                raise ArithmeticError
            return append(tx, record)

        monkeypatch.setattr(way.door, "_append", breaks_once)
        await way.accept(
            an_event(1, refs=(INCIDENT,), parties=pair),
            an_event(2, refs=(INCIDENT,), parties=pair),
            an_event(3, refs=(COURT,)),
        )
        await way.accept(an_event(4, refs=(("booking_no", "B-1"),), parties=nearly))
        assert [p.cause for p in await desk(way).waiting()] == ["similar_parties"]
