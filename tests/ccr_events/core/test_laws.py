"""Laws of the core: order, duplication and storage of facts change nothing; nobody is ever forgotten."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core import ids
from ccr_events.core.codec import decode_transition, decode_view, encode_transition, encode_view
from ccr_events.core.fold import fold, refold, step
from ccr_events.core.model import Fact, Link, Outbound
from ccr_events.core.view import CaseView
from tests.support.core_rules import BOOK, T0, event_id, fact

pytestmark = pytest.mark.usefixtures("sizes")

REFS = st.sampled_from([(), (("incident_no", "A1"),), (("incident_no", "B2"),)])
TYPES = st.sampled_from(
    [
        "arrest.made",
        "jail.booked",
        "risk.screened",
        "referral.advocacy_accepted",
        "victim.release_notified",
        "custody.released",
        "order.violation_reported",
        "probation.opened",
        "bip.session_recorded",
        "violation.alleged",
        "call.closed",
        "event.retracted",
    ]
)


@st.composite
def ordinary(draw: st.DrawFn, number: int) -> Fact:
    type_ = draw(TYPES)
    data: dict[str, object] = {}
    if type_ == "arrest.made":
        data["dv"] = draw(st.sampled_from(["yes", "no"]))
    if type_ == "bip.session_recorded":
        data["present"] = draw(st.booleans())
    corrects = draw(st.none() | st.integers(1, 12)) if number > 1 else None
    if type_ == "event.retracted" and corrects is None:
        corrects = draw(st.integers(1, 12))
    return fact(
        number,
        type_,
        draw(st.integers(0, 96)),
        agency=draw(st.sampled_from(["le", "le", "jail"])),
        edition=draw(st.sampled_from(["e1", "e2"])),
        corrects=corrects,
        late=draw(st.sampled_from([0, 0, 5])),
        refs=draw(REFS),
        **data,
    )


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Facts of one case, then answers and deadlines of the links they open."""
    facts = [draw(ordinary(n)) for n in range(1, draw(st.integers(2, 12)))]
    number = 100
    for _ in range(draw(st.integers(0, 3))):
        links = sorted(refold("case-1", {f.id: f for f in facts}, BOOK).links.values(), key=lambda x: x.id)
        for link in links:
            for answer in draw(st.lists(answers(link), max_size=3)):
                facts.append(fact(number, *answer[:2], **answer[2]))
                number += 1
            pending = [s.number for s in link.steps if not s.reached and not link.state.ended]
            facts += [deadline(link, n) for n in pending if draw(st.booleans())]
    return list({f.id: f for f in facts}.values())


def answers(link: Link) -> st.SearchStrategy[tuple[str, float, dict[str, object]]]:
    kinds = st.sampled_from(["link.acknowledged", "link.completed", "link.waived", "link.notified"])
    roles = st.sampled_from(["officer", "sergeant"])
    agencies = st.sampled_from(["le", "adv"])
    return st.builds(
        lambda kind, role, agency, hours: (kind, hours, {"agency": agency, "link_id": link.id, "role": role}),
        kinds,
        roles,
        agencies,
        st.integers(0, 96),
    )


def deadline(link: Link, number: int) -> Fact:
    at = next(s.at for s in link.steps if s.number == number)
    return Fact(
        id=ids.deadline_event_id(link.id, number, at),
        type="link.deadline_reached",
        agency="ccr",
        case_id="case-1",
        occurred_at=at,
        recorded_at=at,
        edition="e1",
        data={"link_id": link.id, "step": number, "due_at": at.isoformat()},
    )


def folded(facts: Sequence[Fact]) -> CaseView:
    view = CaseView("case-1")
    for f in facts:
        view = fold(view, f, BOOK)
    return view


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_bytes(facts: list[Fact], rng: random.Random) -> None:
    shuffled = facts[:]
    rng.shuffle(shuffled)
    assert encode_view(folded(facts)) == encode_view(folded(shuffled))


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_duplicates_change_nothing_and_say_nothing(facts: list[Fact], rng: random.Random) -> None:
    view = folded(facts)
    for again in rng.sample(facts, k=min(3, len(facts))):
        repeated = step(view, again, BOOK)
        assert repeated.view is view
        assert repeated.transitions == repeated.outbound == repeated.changed == ()


@given(histories())
@settings(max_examples=150, deadline=None)
def test_folding_one_by_one_agrees_with_deriving_from_all(facts: list[Fact]) -> None:
    view = CaseView("case-1")
    for f in facts:
        view = fold(view, f, BOOK)
        assert dict(view.links) == dict(refold("case-1", view.facts, BOOK).links)


@given(histories(), st.integers(0, 20))
@settings(max_examples=100, deadline=None)
def test_storing_the_view_between_batches_changes_nothing(facts: list[Fact], cut: int) -> None:
    stored = decode_view(encode_view(folded(facts[:cut])))
    for f in facts[cut:]:
        stored = fold(stored, f, BOOK)
    assert encode_view(stored) == encode_view(folded(facts))


@given(histories())
@settings(max_examples=150, deadline=None)
def test_every_opened_link_ends_or_has_a_pending_deadline(facts: list[Fact]) -> None:
    for link in folded(facts).links.values():
        assert link.state.ended or any(not s.reached for s in link.steps)


@given(histories())
@settings(max_examples=100, deadline=None)
def test_transitions_have_unique_ids_and_account_for_every_link(facts: list[Fact]) -> None:
    view, told = CaseView("case-1"), []
    for f in facts:
        done = step(view, f, BOOK)
        told += done.transitions
        view = done.view
    assert len({t.id for t in told}) == len(told)
    opened = {t.link.id for t in told if t.kind == "opened"}
    assert set(view.links) <= opened
    assert all(decode_transition(encode_transition(t)) == t for t in told)


class Casebook:
    """Views of several cases; carries outbound events between them, in an order of its own."""

    def __init__(self, rng: random.Random) -> None:
        self.views: dict[str, CaseView] = {}
        self.rng = rng

    def run(self, facts: Sequence[Fact]) -> Casebook:
        waiting = [(f.case_id, f) for f in facts]
        while waiting:
            case_id, f = waiting.pop(self.rng.randrange(len(waiting)))
            done = step(self.views.get(case_id, CaseView(case_id)), f, BOOK)
            self.views[case_id] = done.view
            waiting += [(o.case_id, self.received(o)) for o in done.outbound]
        return self

    def received(self, sent: Outbound) -> Fact:
        # A correction may have been on its way when it was decided; its recording time is nothing links look at.
        return Fact(sent.id, sent.type, "ccr", sent.case_id, sent.occurred_at, T0, "e1", sent.data)

    def links(self) -> dict[str, bytes]:
        return {i: encode_view(CaseView(i, {}, v.links)) for i, v in self.views.items()}


@given(histories(), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_a_merge_moves_every_link_to_the_surviving_case_in_any_order(facts: list[Fact], seed: int) -> None:
    merge = fact(900, "case.merged", 200, agency="ccr", into="case-2")
    before = Casebook(random.Random(0)).run(facts)
    after = Casebook(random.Random(seed)).run([*facts, merge])
    assert dict(after.views["case-1"].links) == {}
    survivor = after.views.get("case-2", CaseView("case-2"))
    assert dict(survivor.links) == dict(before.views["case-1"].links)


@given(histories(), st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_undoing_a_merge_gives_every_link_back(facts: list[Fact], seed: int) -> None:
    merge = fact(900, "case.merged", 200, agency="ccr", into="case-2")
    undo = fact(901, "event.retracted", 201, agency="ccr", corrects=900)
    before = Casebook(random.Random(0)).run(facts)
    book = Casebook(random.Random(seed)).run([*facts, merge])
    book.run([undo])
    assert dict(book.views["case-1"].links) == dict(before.views["case-1"].links)
    assert dict(book.views.get("case-2", CaseView("case-2")).links) == {}


def test_a_split_moves_only_the_facts_with_its_references() -> None:
    here = fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),))
    there = fact(2, "arrest.made", 1, dv="yes", refs=(("incident_no", "B2"),))
    split = fact(3, "case.split", 2, agency="ccr", into="case-2", moved=[{"kind": "incident_no", "number": "B2"}])
    book = Casebook(random.Random(1)).run([here, there, split])
    assert {x.trigger_id for x in book.views["case-1"].links.values()} == {event_id(1)}
    assert {x.trigger_id for x in book.views["case-2"].links.values()} == {event_id(2)}


def test_time_is_data_a_link_is_overdue_only_by_an_event() -> None:
    trigger = fact(1, "arrest.made", 0, dv="yes")
    much_later = fact(2, "call.closed", 10_000)
    links = folded([trigger, much_later]).links.values()
    assert not any(x.overdue for x in links)
    assert all(x.due_at is not None and x.due_at < much_later.occurred_at - timedelta(days=1) for x in links)
