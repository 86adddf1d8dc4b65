"""What every engine's stores promise, in a write and in a query; run here on the embedded engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ccr_events.core.codec import encode_view
from ccr_events.core.fold import fold
from ccr_events.core.model import Link, LinkState, Step
from ccr_events.core.view import CaseView
from services.engine.deadlines import pending
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import (
    Held,
    MergeProposal,
    PersonKey,
    ReferenceKey,
    StoredEvent,
    StoredKey,
    Transaction,
)
from tests.support.core_rules import BOOK, HOUR, T0, event_id, fact
from tests.support.records import append_all, record

ARREST = fact(1, "arrest.made", 0, dv="yes")


async def same_before_and_after_commit(engine: SqliteEngine, work: Callable[[Transaction], None], see) -> object:
    """What `see` shows inside the transaction; fails unless queries and later works see the same."""

    def write_and_look(tx: Transaction) -> object:
        work(tx)
        return see(tx)

    seen = await engine.writer.write(write_and_look)
    assert await engine.writer.read(see) == seen
    assert await engine.writer.write(see) == seen
    return seen


async def test_positions_count_from_one_without_gaps(engine: SqliteEngine) -> None:
    facts = [fact(n, "call.closed", n, case_id=f"case-{n % 3}") for n in range(1, 8)]
    first = await engine.writer.write(lambda tx: append_all(tx, facts[:4]))
    second = await engine.writer.write(lambda tx: append_all(tx, facts[4:]))
    assert first + second == [1, 2, 3, 4, 5, 6, 7]
    assert [r.position for r in await engine.log.read(2, 3)] == [3, 4, 5]


async def test_the_log_finds_gives_and_lists_what_was_appended(engine: SqliteEngine) -> None:
    other = fact(2, "call.closed", 1, case_id="case-2")
    late = fact(3, "call.closed", 2)

    def see(tx: Transaction) -> object:
        return tx.events.find(ARREST.id), tx.events.get(ARREST.id), tx.events.of_case("case-1"), tx.events.find("x")

    found, got, of_case, nothing = await same_before_and_after_commit(  # type: ignore[misc]
        engine, lambda tx: append_all(tx, [ARREST, other, late]), see
    )
    assert found == StoredEvent(1, "case-1", record(ARREST).digest)
    assert got.body == record(ARREST).body
    assert [r.position for r in of_case] == [1, 3]
    assert nothing is None
    assert await engine.log.of_case("case-1") == of_case
    assert await engine.log.known([ARREST.id, event_id(99)]) == {ARREST.id}


async def test_ids_that_were_expected_are_found_as_any_other(engine: SqliteEngine) -> None:
    await engine.writer.write(lambda tx: append_all(tx, [ARREST]))
    other, late = fact(2, "call.closed", 1), fact(3, "call.closed", 2)

    def work(tx: Transaction) -> list[StoredEvent | None]:
        append_all(tx, [other])
        tx.events.expect([ARREST.id, other.id, late.id])
        before = [tx.events.find(f.id) for f in (ARREST, other, late)]
        append_all(tx, [late])
        return [*before, tx.events.find(late.id)]

    found = await engine.writer.write(work)
    assert [f and f.position for f in found] == [1, 2, None, 3]
    assert await engine.writer.write(lambda tx: [tx.events.find(f.id) for f in (ARREST, other, late)]) == [
        *found[:2],
        found[3],
    ]

    def fails(tx: Transaction) -> None:
        tx.events.expect([event_id(4)])
        raise LookupError

    with pytest.raises(LookupError):
        await engine.writer.write(fails)
    assert await engine.writer.write(lambda tx: append_all(tx, [fact(4, "call.closed", 3)])) == [4]
    assert await engine.writer.write(lambda tx: append_all(tx, [fact(4, "call.closed", 3)])) == []


async def test_appending_the_same_id_twice_in_one_transaction_is_refused(engine: SqliteEngine) -> None:
    def twice(tx: Transaction) -> None:
        tx.events.append(record(ARREST))
        tx.events.append(record(ARREST))

    with pytest.raises(ValueError, match="already on the log"):
        await engine.writer.write(twice)
    assert await engine.log.read(0) == []


async def test_a_view_is_the_same_from_memory_and_from_disk(tmp_path: Path) -> None:
    facts = [ARREST, fact(2, "jail.booked", 1), fact(3, "arrest.made", 0, corrects=1, late=3, dv="no")]
    expected = CaseView("case-1")
    for f in facts:
        expected = fold(expected, record(f).fact, BOOK)
    async with open_engine(tmp_path) as engine:
        await engine.writer.write(lambda tx: append_all(tx, facts))
        cached = await engine.writer.write(lambda tx: tx.views.get("case-1"))
        queried = await engine.writer.read(lambda tx: tx.views.get("case-1"))
    async with open_engine(tmp_path) as engine:
        loaded = await engine.writer.write(lambda tx: tx.views.get("case-1"))
        assert (await engine.writer.write(lambda tx: tx.views.get("nobody"))).facts == {}
    for view in (cached, queried, loaded):
        assert encode_view(view) == encode_view(expected)
        assert (view.index, view.corrected) == (expected.index, expected.corrected)


def link(number: int, *hours: float, ended: bool = False, reached: int = 0, agency: str = "le") -> Link:
    steps = tuple(Step(n, T0 + h * HOUR, agency, "officer", n < reached) for n, h in enumerate(hours))
    return Link(
        id=event_id(number),
        case_id="case-1",
        rule="R1",
        edition="e1",
        trigger_id=event_id(1),
        agency=agency,
        role="officer",
        urgency="immediate",
        opened_at=T0,
        due_at=steps[0].at if steps else None,
        lag_s=0,
        state=LinkState.SATISFIED if ended else LinkState.OPENED,
        overdue=reached > 0,
        steps=steps,
    )


def due(tx: Transaction, hours: float, limit: int = 100) -> list[tuple[str, int]]:
    return [(d.link_id, d.step) for d in tx.deadlines.due(T0 + hours * HOUR, limit)]


async def test_deadlines_are_the_unreached_steps_of_open_links_in_order(engine: SqliteEngine) -> None:
    links = [link(3, 5, 9), link(1, 5, 6), link(2, 1, 7, reached=1), link(4, 2, ended=True), link(5)]

    def see(tx: Transaction) -> object:
        return due(tx, 8), tx.deadlines.next_at()

    seen = await same_before_and_after_commit(engine, lambda tx: tx.links.put("case-1", links), see)
    assert seen == ([(event_id(1), 0), (event_id(3), 0), (event_id(1), 1), (event_id(2), 1)], T0 + 5 * HOUR)


@pytest.mark.parametrize("limit", range(1, 9))
async def test_a_page_of_deadlines_is_the_beginning_of_all_of_them(engine: SqliteEngine, limit: int) -> None:
    stored = [link(3, 1, 2, 30), link(1, 2, 2), link(6, 2, 4), link(7, 3)]
    written = [link(2, 2, 3), link(6, 1, 5, ended=True)]
    await engine.writer.write(lambda tx: tx.links.put("case-1", stored))

    def page(tx: Transaction) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        tx.links.put("case-1", written)
        return due(tx, 10, limit), due(tx, 10)

    some, everything = await engine.writer.write(page)
    assert some == everything[:limit]
    assert len(everything) == 7


async def test_deadlines_follow_their_link(engine: SqliteEngine) -> None:
    await engine.writer.write(lambda tx: tx.links.put("case-1", [link(1, 1, 2)]))
    await engine.writer.write(lambda tx: tx.links.put("case-1", [link(1, 4, 2, reached=1)]))
    assert await engine.writer.read(lambda tx: due(tx, 9)) == [(event_id(1), 1)]
    await engine.writer.write(lambda tx: tx.links.put("case-1", [link(1, 4, 2, ended=True)]))
    assert await engine.writer.read(lambda tx: (due(tx, 9), tx.deadlines.next_at())) == ([], None)
    await engine.writer.write(lambda tx: tx.links.put("case-1", [link(1, 6)]))
    await engine.writer.write(lambda tx: tx.links.remove("case-1", [event_id(1)]))
    assert await engine.writer.read(lambda tx: (due(tx, 9), tx.links.get(event_id(1)))) == ([], None)


async def test_a_link_that_moved_to_another_case_is_not_taken_away_by_the_case_it_left(engine: SqliteEngine) -> None:
    await engine.writer.write(lambda tx: tx.links.put("case-1", [link(1, 1)]))

    def move(tx: Transaction) -> None:
        tx.links.put("case-2", [link(1, 1)])
        tx.links.remove("case-1", [event_id(1)])

    assert await same_before_and_after_commit(engine, move, lambda tx: tx.links.get(event_id(1))) == link(1, 1)
    assert [x.id for x in await engine.links.links(case_id="case-2")] == [event_id(1)]
    assert await engine.links.links(case_id="case-1") == []


async def test_links_are_listed_most_urgent_first(engine: SqliteEngine) -> None:
    links = [link(1, 5), link(2, 3, agency="jail"), link(3), link(4, 1, ended=True), link(5, 4)]
    await engine.writer.write(lambda tx: tx.links.put("case-1", links))

    async def listed(**asked: object) -> list[int]:
        return [int(x.id[-12:]) for x in await engine.links.links(**asked)]  # type: ignore[arg-type]

    assert await listed() == [2, 5, 1, 3]
    assert await listed(open_only=False) == [4, 2, 5, 1, 3]
    assert await listed(agency="le", limit=2) == [5, 1]
    assert await listed(agency="le", case_id="case-2") == []
    assert await engine.links.link(event_id(2)) == links[1]


async def test_counts_tell_how_the_links_stand(engine: SqliteEngine) -> None:
    assert (await engine.counts.figures()).links == ()
    links = [link(1, 1, 2, 3, reached=2), link(2, 4), link(3, 1, ended=True), link(4, 9, agency="jail")]
    await engine.writer.write(lambda tx: tx.links.put("case-1", links))
    figures = await engine.counts.figures()
    counted = [(c.rule, c.agency, c.open, c.overdue, c.escalated) for c in figures.links]
    assert counted == [("R1", "jail", 1, 0, 0), ("R1", "le", 2, 1, 1)]
    assert figures.deadlines_pending == sum(len(pending(x)) for x in links) == 3
    assert figures.next_deadline_at == T0 + 3 * HOUR


async def test_the_case_index_keeps_the_first_binding(engine: SqliteEngine) -> None:
    number = ReferenceKey("incident_no", "26-1", "PD")

    def work(tx: Transaction) -> None:
        tx.cases.add_case("case-9")
        for case_id in ("case-9", "case-8"):
            tx.cases.bind(number, case_id)
            tx.cases.bind_dyad("s", "v", case_id)

    def see(tx: Transaction) -> object:
        cases = tx.cases
        return (
            cases.case_of(number),
            cases.case_of(replace(number, issuer="")),
            cases.dyad_case("s", "v"),
            cases.dyad_case("v", "s"),
            cases.case_exists("case-9"),
            cases.case_exists("case-8"),
        )

    seen = await same_before_and_after_commit(engine, work, see)
    assert seen == ("case-9", None, "case-9", None, True, False)


async def test_forwards_lead_to_the_surviving_case_and_can_be_undone(engine: SqliteEngine) -> None:
    def merge(tx: Transaction) -> None:
        tx.cases.set_forward("a", "b")
        tx.cases.set_forward("b", "c")

    assert await same_before_and_after_commit(engine, merge, lambda tx: tx.cases.forward_of("a")) == "c"
    await engine.writer.write(lambda tx: tx.cases.set_forward("b", None))
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("a")) == "b"
    await engine.writer.write(lambda tx: tx.cases.set_forward("b", "a"))
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("a")) == "b"


async def test_people_are_found_by_block_newest_first(engine: SqliteEngine) -> None:
    people = [PersonKey(f"t{n}", b"block", f"sealed-{n}") for n in range(4)]

    def work(tx: Transaction) -> None:
        for person in [*people, people[0]]:
            tx.cases.remember(person, "suspect", "case-1")

    seen = await same_before_and_after_commit(engine, work, lambda tx: tx.cases.candidates(b"block", 3))
    assert seen == [(p, "suspect", "case-1") for p in reversed(people[1:])]


async def test_a_pair_is_proposed_once_and_stays_decided(engine: SqliteEngine) -> None:
    one = MergeProposal("p1", "case-1", "case-2", "two_references", event_id(1), 90, T0, "waiting")
    two = replace(one, id="p2", proposed_at=T0 + HOUR)

    def work(tx: Transaction) -> None:
        tx.cases.propose(one)
        tx.cases.propose(two)
        tx.cases.decide("p1", "rejected")
        tx.cases.propose(one)

    def see(tx: Transaction) -> object:
        return tx.cases.proposal("p1"), tx.cases.proposals("waiting", 9), tx.cases.proposal("p3")

    seen = await same_before_and_after_commit(engine, work, see)
    assert seen == (replace(one, state="rejected"), [two], None)


async def test_quarantine_keeps_everything_and_counts_what_waits(engine: SqliteEngine) -> None:
    held = Held("q1", T0, "le", "k1", "arrest.made", "refused", (("/data/x", "is required"),), "token", "waiting")
    other = replace(held, id="q2", agency="jail")

    def work(tx: Transaction) -> None:
        for entry in (held, other, replace(held, title="again")):
            tx.quarantine.hold(entry)
        tx.quarantine.mark("q2", "redriven", T0)

    def see(tx: Transaction) -> object:
        q = tx.quarantine
        return q.get("q1"), q.get("q2"), q.waiting(9), q.count_waiting(), q.count_waiting("jail"), q.get("q3")

    seen = await same_before_and_after_commit(engine, work, see)
    assert seen == (held, replace(other, state="redriven"), [held], 1, 0, None)


async def test_a_revoked_key_stays_revoked(engine: SqliteEngine) -> None:
    key = StoredKey("k1", "le", b"hash", T0, "records system")

    def work(tx: Transaction) -> None:
        tx.api_keys.add(key)
        tx.api_keys.revoke("k1", T0 + HOUR)
        tx.api_keys.revoke("k1", T0 + 2 * HOUR)

    seen = await same_before_and_after_commit(
        engine, work, lambda tx: (tx.api_keys.get("k1"), tx.api_keys.all(), tx.api_keys.get("k2"))
    )
    revoked = replace(key, revoked_at=T0 + HOUR)
    assert seen == (revoked, [revoked], None)


async def test_the_audit_log_is_a_chain(engine: SqliteEngine) -> None:
    heads = await engine.writer.write(lambda tx: [tx.audit.append(b'{"n":1}'), tx.audit.append(b'{"n":2}')])
    heads.append(await engine.writer.write(lambda tx: tx.audit.append(b'{"n":1}')))
    assert len(set(heads)) == 3
    entries = await engine.writer.read(lambda tx: tx.audit.entries(1, 10))
    assert entries == [(2, heads[1], b'{"n":2}'), (3, heads[2], b'{"n":1}')]


WRITES: list[Callable[[Transaction], object]] = [
    lambda tx: append_all(tx, [ARREST]),
    lambda tx: tx.views.put(CaseView("case-1")),
    lambda tx: tx.links.put("case-1", [link(1, 1)]),
    lambda tx: tx.cases.add_case("case-1"),
    lambda tx: tx.cases.set_forward("case-1", "case-2"),
    lambda tx: tx.audit.append(b"{}"),
]


@pytest.mark.parametrize("write", WRITES)
async def test_a_query_cannot_write(engine: SqliteEngine, write: Callable[[Transaction], object]) -> None:
    with pytest.raises(TypeError, match="must not write"):
        await engine.writer.read(write)
    assert await engine.writer.read(lambda tx: tx.cases.case_exists("case-1")) is False
