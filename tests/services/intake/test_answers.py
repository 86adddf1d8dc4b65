"""Answers to protocol links: only by those who may, and once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ccr_events.core.model import Link, LinkState
from services.engine.ports import AuthenticatedKey, Receipt
from services.intake.answers import AnswerKind, AnswerRefused, answer
from tests.support.doors import T0, Doorway, an_event, doorway, policies


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as way:
        await way.accept(an_event(1, refs=(("incident_no", "26-1"),), dv="yes"))
        yield way


async def a_link(way: Doorway) -> Link:
    return next(link for link in await way.engine.links.links() if link.rule == "L07b")


def by(agency: str) -> AuthenticatedKey:
    return AuthenticatedKey("0123456789abcdef", agency)


async def give(
    way: Doorway, kind: AnswerKind, link: Link, agency: str, role: str, minutes: int = 5, **fields: str
) -> Receipt:
    said = answer(
        kind, link, role=role, by=by(agency), at=T0 + timedelta(minutes=minutes), policies=policies(), fields=fields
    )
    return (await way.door.submit([said]))[0]


async def test_owing_agency_acknowledges_and_completes(way: Doorway) -> None:
    link = await a_link(way)
    receipt = await give(way, "acknowledged", link, link.agency, link.role)
    assert (receipt.status, receipt.case_id) == ("accepted", link.case_id)
    after = await way.engine.links.link(link.id)
    assert after is not None
    assert after.state is LinkState.ACKNOWLEDGED
    assert after.acknowledged_at == T0 + timedelta(minutes=5)


async def test_saying_it_again_later_is_saying_it_once(way: Doorway) -> None:
    link = await a_link(way)
    first = await give(way, "acknowledged", link, link.agency, link.role)
    again = await give(way, "acknowledged", link, link.agency, link.role, minutes=9)
    assert (again.status, again.position) == ("duplicate", first.position)


async def test_an_answer_that_was_withdrawn_counts_when_it_is_given_again(way: Doorway) -> None:
    link = await a_link(way)
    for times in (1, 2):
        way.clock.at = T0 + timedelta(minutes=10 * times + 5)
        first = await give(way, "acknowledged", link, link.agency, link.role, minutes=10 * times)
        assert first.status == "accepted"
        again = await give(way, "acknowledged", link, link.agency, link.role, minutes=10 * times + 1)
        assert again.status == "duplicate"
        after = await way.engine.links.link(link.id)
        assert after is not None
        assert after.acknowledged_at == T0 + timedelta(minutes=10 * times)
        latest = (await way.engine.log.of_case(link.case_id))[-1].event_id
        withdrawn = an_event(20 + times, "event.retracted", minutes=10 * times + 5, reason="entered_in_error")
        await way.accept(replace(withdrawn, corrects=latest), agency=link.agency)
        after = await way.engine.links.link(link.id)
        assert after is not None
        assert after.state is LinkState.OPENED


async def test_an_acknowledgement_that_tells_a_new_status_is_one_of_its_own_and_the_first_one_stands(
    way: Doorway,
) -> None:
    link = await a_link(way)
    received = await give(way, "acknowledged", link, link.agency, link.role, status="received")
    way.clock.at = T0 + timedelta(minutes=9)
    assigned = await give(way, "acknowledged", link, link.agency, link.role, minutes=9, status="on_call_assigned")
    assert (assigned.status, assigned.case_id) == ("accepted", link.case_id)
    after = await way.engine.links.link(link.id)
    assert after is not None
    assert after.acknowledged_at == T0 + timedelta(minutes=5)
    for said, first in (("received", received), ("on_call_assigned", assigned)):
        again = await give(way, "acknowledged", link, link.agency, link.role, minutes=9, status=said)
        assert (again.status, again.position) == ("duplicate", first.position)
    without = await give(way, "acknowledged", link, link.agency, link.role, minutes=9)
    assert (without.status, without.position) == ("duplicate", received.position)


async def test_on_call_assigned_ends_a_link_that_was_only_received_and_may_be_said_again(way: Doorway) -> None:
    link = next(link for link in await way.engine.links.links() if link.agency == "adv" and link.rule.startswith("L06"))
    await give(way, "acknowledged", link, "adv", link.role, status="received")
    way.clock.at = T0 + timedelta(minutes=9)
    await give(way, "acknowledged", link, "adv", link.role, minutes=9, status="on_call_assigned")
    ended = await way.engine.links.link(link.id)
    assert ended is not None
    assert ended.state.ended
    again = await give(way, "acknowledged", ended, "adv", link.role, minutes=9, status="on_call_assigned")
    assert again.status == "duplicate"


async def test_other_agencies_neither_acknowledge_nor_complete(way: Doorway) -> None:
    link = await a_link(way)
    kinds: tuple[AnswerKind, ...] = ("acknowledged", "completed")
    for kind in kinds:
        with pytest.raises(AnswerRefused, match="jail owes it"):
            await give(way, kind, link, "le", "officer")


async def test_only_a_role_named_in_the_policy_waives(way: Doorway) -> None:
    link = await a_link(way)
    with pytest.raises(AnswerRefused, match=r"jail \(jail lieutenant\)"):
        await give(way, "waived", link, "jail", "booking officer", reason="duplicate")
    receipt = await give(way, "waived", link, "jail", "jail lieutenant", reason="duplicate")
    assert receipt.status == "accepted"
    after = await way.engine.links.link(link.id)
    assert after is not None
    assert after.state is LinkState.WAIVED


async def test_ended_link_takes_no_other_answer_but_the_same_again(way: Doorway) -> None:
    link = await a_link(way)
    await give(way, "waived", link, "jail", "jail lieutenant", reason="duplicate")
    ended = await way.engine.links.link(link.id)
    assert ended is not None
    with pytest.raises(AnswerRefused, match="waived already"):
        await give(way, "acknowledged", ended, "jail", "booking officer")
    assert (await give(way, "waived", ended, "jail", "jail lieutenant", reason="other")).status == "duplicate"


async def test_malformed_answer_is_refused_like_any_event(way: Doorway) -> None:
    link = await a_link(way)
    receipt = await give(way, "waived", link, "jail", "jail lieutenant", reason="just because")
    assert (receipt.status, receipt.problems[0].pointer) == ("quarantined", "/data/reason")
