"""Links that change hands are told once, by the case that has them afterwards, and never told wrong."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core import handover
from ccr_events.core.fold import step
from ccr_events.core.model import Fact, Link, Outbound, Transition, TransitionKind
from ccr_events.core.view import CaseView
from tests.ccr_events.core.test_laws import histories
from tests.support.core_rules import BOOK, event_id, fact

pytestmark = pytest.mark.usefixtures("sizes")

ARREST = fact(1, "arrest.made", 0, dv="yes")
MERGE = fact(900, "case.merged", 200, agency="ccr", into="case-2")
UNDO = fact(901, "event.retracted", 201, agency="ccr", corrects=900)
ELSEWHERE = "case-2"


class Told:
    """Cases folded in the order in which the log has them, and all that was told."""

    def __init__(self, *facts: Fact) -> None:
        self.views: dict[str, CaseView] = {}
        self.told: list[Transition] = []
        self.sent: list[Outbound] = []
        self.then(*facts)

    def then(self, *facts: Fact) -> list[Transition]:
        """What these facts let be told."""
        before = len(self.told)
        for cause in facts:
            waiting = deque([cause])
            while waiting:
                each = waiting.popleft()
                done = step(self.views.get(each.case_id, CaseView(each.case_id)), each, BOOK)
                self.views[each.case_id] = done.view
                self.told += done.transitions
                self.sent += done.outbound
                waiting.extend(_received(sent, cause) for sent in done.outbound)
        return self.told[before:]

    @property
    def links(self) -> dict[str, Link]:
        """Of all cases."""
        return {i: link for view in self.views.values() for i, link in view.links.items()}

    @property
    def believed(self) -> dict[str, Link]:
        """What somebody has who only listens."""
        newest = {each.link.id: each for each in self.told}
        return {i: each.link for i, each in newest.items() if each.kind is not TransitionKind.CANCELLED}


def _received(sent: Outbound, cause: Fact) -> Fact:
    return Fact(
        sent.id, sent.type, "ccr", sent.case_id, sent.occurred_at, cause.recorded_at, cause.edition, dict(sent.data)
    )


def _elsewhere(number: int, type_: str, hours: float, **data: object) -> Fact:
    return fact(number, type_, hours, case_id=ELSEWHERE, **data)  # type: ignore[arg-type]


def _told(transitions: Sequence[Transition]) -> Counter[str]:
    return Counter(each.kind.value for each in transitions)


def test_a_merge_that_changes_nothing_tells_nothing() -> None:
    book = Told(ARREST, fact(2, "jail.booked", 1))
    links = book.links
    assert book.then(MERGE) == []
    assert book.links == links
    assert not book.views["case-1"].links


def test_what_the_other_cases_facts_make_of_a_link_is_told() -> None:
    book = Told(ARREST, _elsewhere(2, "jail.booked", 1))
    told = book.then(MERGE)
    assert {each.kind for each in told} == {TransitionKind.SATISFIED}
    assert {each.link.case_id for each in told} == {"case-1"}


def test_undoing_it_tells_only_that_such_a_link_is_open_again() -> None:
    book = Told(ARREST, _elsewhere(2, "jail.booked", 1), MERGE)
    told = book.then(UNDO)
    assert {each.kind for each in told} == {TransitionKind.REOPENED}
    assert book.believed == book.links


def test_a_fact_that_comes_after_the_merge_is_told_by_the_case_that_survived() -> None:
    book = Told(MERGE)
    told = book.then(ARREST)
    assert told
    assert {each.kind for each in told} == {TransitionKind.OPENED}


def test_a_split_tells_that_what_had_answered_a_link_stays_behind() -> None:
    refs = (("incident_no", "B2"),)
    arrest = fact(1, "arrest.made", 0, dv="yes", refs=refs)
    split = fact(3, "case.split", 9, agency="ccr", into=ELSEWHERE, moved=[{"kind": "incident_no", "number": "B2"}])
    book = Told(arrest, fact(2, "jail.booked", 1))
    assert {each.kind for each in book.then(split)} == {TransitionKind.REOPENED}
    assert book.believed == book.links


def test_links_beyond_the_bound_are_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MAX_HANDED_ON", 1)
    book = Told(ARREST)
    count = len(book.links)
    assert count > 1
    assert _told(book.then(MERGE)) == {"cancelled": count - 1, "opened": count - 1}
    assert book.believed == book.links


def test_the_events_of_a_move_name_the_one_with_which_its_links_are_told() -> None:
    book = Told(ARREST, fact(2, "jail.booked", 1), MERGE)
    first, last = book.sent
    assert first.data["told_with"] == last.id
    assert "links_json" in last.data
    assert "told_with" not in last.data


@given(histories(), st.booleans(), st.sets(st.integers(0, 11)))
@settings(max_examples=300, deadline=None)
def test_whoever_only_listens_knows_every_link(facts: list[Fact], undone: bool, elsewhere: set[int]) -> None:
    """Whatever facts were in the other case, and whether or not the merge is undone."""
    there = [n for n, f in enumerate(facts) if n in elsewhere and f.corrects is None and not f.type.startswith("link.")]
    mixed = [_in_the_other_case(f) if n in there else f for n, f in enumerate(facts)]
    book = Told(*mixed)
    assert book.believed.keys() == book.links.keys()
    book.then(MERGE)
    assert book.believed.keys() == book.links.keys()
    assert _states(book.believed) == _states(book.links)
    if undone:
        book.then(UNDO)
        assert book.believed.keys() == book.links.keys()
        assert _states(book.believed) == _states(book.links)


@given(histories())
@settings(max_examples=200, deadline=None)
def test_an_empty_case_that_absorbs_another_tells_nothing_and_undoing_it_neither(facts: list[Fact]) -> None:
    book = Told(*facts)
    assert book.then(MERGE) == []
    assert book.then(UNDO) == []


def _in_the_other_case(f: Fact) -> Fact:
    return Fact(
        f.id, f.type, f.agency, ELSEWHERE, f.occurred_at, f.recorded_at, f.edition, f.data, f.corrects, f.source
    )


def _states(links: dict[str, Link]) -> dict[str, object]:
    """What people are told of: once a link has ended, only that."""
    return {
        i: link.state if link.state.ended else (link.state, link.due_at, link.overdue, link.escalated_to)
        for i, link in links.items()
    }


def test_the_arrest_is_the_one_that_opens(  # the rules these tests stand on
) -> None:
    assert {link.trigger_id for link in Told(ARREST).links.values()} == {event_id(1)}
