"""What every engine's stores promise, in a write and in a query; here on the SQL store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ccr_events.core.codec import encode_view
from ccr_events.core.view import CaseView
from ccr_events.envelope import fact_of
from services.engine.sql import NotInThisStore, SqlStore
from services.engine.transaction import (
    Held,
    MergeProposal,
    PersonKey,
    ReferenceKey,
    StoredEvent,
    StoredKey,
    Transaction,
)
from tests.support.core_rules import HOUR, T0, event_id, fact
from tests.support.records import record

ARREST = fact(1, "arrest.made", 0, dv="yes")


def append(tx: Transaction, *facts) -> list[int]:  # type: ignore[no-untyped-def]
    """Append those that are not on the log, as intake would."""
    return [tx.events.append(record(f)) for f in facts if tx.events.find(f.id) is None]


async def same_before_and_after_commit(store: SqlStore, work: Callable[[Transaction], None], see) -> object:
    """What `see` shows inside the transaction; fails unless queries and later works see the same."""

    def write_and_look(tx: Transaction) -> object:
        work(tx)
        return see(tx)

    seen = await store.writer.write(write_and_look)
    assert await store.writer.read(see) == seen
    assert await store.writer.write(see) == seen
    return seen


async def test_positions_count_from_one_without_gaps(store: SqlStore) -> None:
    facts = [fact(n, "call.closed", n, case_id=f"case-{n % 3}") for n in range(1, 8)]
    first = await store.writer.write(lambda tx: append(tx, *facts[:4]))
    second = await store.writer.write(lambda tx: append(tx, *facts[4:]))
    assert first + second == [1, 2, 3, 4, 5, 6, 7]
    assert [r.position for r in await store.log.read(2, 3)] == [3, 4, 5]


async def test_the_log_finds_gives_and_lists_what_was_appended(store: SqlStore) -> None:
    other = fact(2, "call.closed", 1, case_id="case-2")
    late = fact(3, "call.closed", 2)

    def see(tx: Transaction) -> object:
        return tx.events.find(ARREST.id), tx.events.get(ARREST.id), tx.events.of_case("case-1"), tx.events.find("x")

    found, got, of_case, nothing = await same_before_and_after_commit(  # type: ignore[misc]
        store, lambda tx: append(tx, ARREST, other, late), see
    )
    assert found == StoredEvent(1, "case-1", record(ARREST).digest)
    assert got.body == record(ARREST).body
    assert [r.position for r in of_case] == [1, 3]
    assert nothing is None
    assert await store.log.of_case("case-1") == of_case
    assert await store.log.known([ARREST.id, event_id(99)]) == {ARREST.id}


async def test_every_edition_that_events_were_judged_by_is_noted(store: SqlStore) -> None:
    assert await store.log.editions() == []
    by_turns = [fact(n, "call.closed", n, edition=f"e{n % 2}") for n in range(1, 5)]
    for each in by_turns:
        await store.writer.write(lambda tx, one=each: append(tx, one))
    assert await store.log.editions() == ["e0", "e1"]
    with pytest.raises(ValueError, match="undone"):
        await store.writer.write(lambda tx: refused_after(append(tx, fact(5, "call.closed", 5, edition="e2"))))
    assert await store.log.editions() == ["e0", "e1"]
    await store.writer.write(lambda tx: append(tx, fact(6, "call.closed", 6, edition="e2")))
    assert await store.log.editions() == ["e0", "e1", "e2"]


def refused_after(positions: list[int]) -> None:
    raise ValueError(f"undone: {positions}")


async def test_ids_that_were_expected_are_found_as_any_other(store: SqlStore) -> None:
    await store.writer.write(lambda tx: append(tx, ARREST))
    other, late = fact(2, "call.closed", 1), fact(3, "call.closed", 2)

    def work(tx: Transaction) -> list[StoredEvent | None]:
        append(tx, other)
        tx.events.expect([ARREST.id, other.id, late.id])
        before = [tx.events.find(f.id) for f in (ARREST, other, late)]
        append(tx, late)
        return [*before, tx.events.find(late.id)]

    found = await store.writer.write(work)
    assert [f and f.position for f in found] == [1, 2, None, 3]


async def test_appending_the_same_id_twice_in_one_transaction_is_refused(store: SqlStore) -> None:
    def twice(tx: Transaction) -> None:
        tx.events.append(record(ARREST))
        tx.events.append(record(ARREST))

    with pytest.raises(ValueError, match="already on the log"):
        await store.writer.write(twice)
    assert await store.log.read(0) == []


async def test_the_newest_instant_is_that_of_the_newest_event_of_intake(store: SqlStore) -> None:
    late, early = fact(1, "call.closed", 9), fact(2, "call.closed", 3)

    def work(tx: Transaction) -> list[object]:
        seen = [tx.events.newest_recorded_at()]  # type: ignore[attr-defined]
        append(tx, late)
        append(tx, early)
        return [*seen, tx.events.newest_recorded_at()]  # type: ignore[attr-defined]

    assert await store.writer.write(work) == [None, late.recorded_at]
    for ask in (store.writer.read, store.writer.write):
        assert await ask(lambda tx: tx.events.newest_recorded_at()) == late.recorded_at  # type: ignore[attr-defined]


async def test_a_view_is_the_same_whenever_it_is_looked_at(store: SqlStore) -> None:
    facts = [ARREST, fact(2, "jail.booked", 1), fact(3, "arrest.made", 0, corrects=1, late=3, dv="no")]
    expected = CaseView("case-1", {f.id: fact_of_record(f) for f in facts})
    views = [
        await store.writer.write(lambda tx: (append(tx, *facts), tx.views.get("case-1"))[1]),
        await store.writer.read(lambda tx: tx.views.get("case-1")),
        await store.writer.write(lambda tx: tx.views.get("case-1")),
    ]
    for view in views:
        assert len(view.facts) == 3
        assert encode_view(view) == encode_view(expected)
        assert set(view.index.by_type) == {"arrest.made", "jail.booked"}
        assert view == expected
    inside = await store.writer.write(lambda tx: encode_view(tx.views.get("case-1")))
    assert inside == encode_view(expected)
    assert len((await store.writer.write(lambda tx: tx.views.get("nobody"))).facts) == 0


def fact_of_record(f):  # type: ignore[no-untyped-def]
    from ccr_events.envelope import decode_record

    return fact_of(decode_record(record(f).body))


async def test_the_case_index_keeps_the_first_binding(store: SqlStore) -> None:
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

    seen = await same_before_and_after_commit(store, work, see)
    assert seen == ("case-9", None, "case-9", None, True, False)


async def test_what_was_expected_is_answered_as_any_other(store: SqlStore) -> None:
    numbers = [ReferenceKey("incident_no", f"26-{n}") for n in range(3)]
    await store.writer.write(lambda tx: tx.cases.bind(numbers[0], "case-0"))

    def work(tx: Transaction) -> list[str | None]:
        tx.cases.bind(numbers[1], "case-1")
        tx.cases.expect(numbers, [("s", "v"), ("v", "s")])
        tx.cases.bind_dyad("s", "v", "case-2")
        return [*map(tx.cases.case_of, numbers), tx.cases.dyad_case("s", "v"), tx.cases.dyad_case("v", "s")]

    expected = ["case-0", "case-1", None, "case-2", None]
    assert await store.writer.write(work) == expected
    assert await store.writer.write(work) == expected


async def test_the_case_noted_first_is_the_earliest(store: SqlStore) -> None:
    await store.writer.write(lambda tx: append(tx, fact(1, "call.closed", 1, case_id="case-z")))

    def work(tx: Transaction) -> None:
        tx.cases.add_case("case-m")
        tx.cases.add_case("case-a")

    def see(tx: Transaction) -> object:
        asked = (("case-a", "case-m"), ("case-a", "case-z"), ("case-m", "case-z"))
        return [tx.cases.earliest(pair) for pair in asked]

    assert await same_before_and_after_commit(store, work, see) == ["case-m", "case-z", "case-z"]


async def test_forwards_lead_to_the_surviving_case_and_can_be_undone(store: SqlStore) -> None:
    def merge(tx: Transaction) -> None:
        tx.cases.set_forward("a", "b")
        tx.cases.set_forward("b", "c")

    assert await same_before_and_after_commit(store, merge, lambda tx: tx.cases.forward_of("a")) == "c"
    await store.writer.write(lambda tx: tx.cases.set_forward("b", None))
    assert await store.writer.read(lambda tx: tx.cases.forward_of("a")) == "b"
    await store.writer.write(lambda tx: tx.cases.set_forward("b", "a"))
    assert await store.writer.read(lambda tx: tx.cases.forward_of("a")) == "b"


async def test_people_are_found_by_block_newest_first(store: SqlStore) -> None:
    people = [PersonKey(f"t{n}", b"block", f"sealed-{n}") for n in range(4)]

    def work(tx: Transaction) -> None:
        for person in [*people, people[0]]:
            tx.cases.remember(person, "suspect", "case-1")

    seen = await same_before_and_after_commit(store, work, lambda tx: tx.cases.candidates(b"block", 3))
    assert seen == [(p, "suspect", "case-1") for p in reversed(people[1:])]
    again = await store.writer.write(lambda tx: (work(tx), tx.cases.candidates(b"block", 9))[1])
    assert again == [(p, "suspect", "case-1") for p in reversed(people)]


async def test_a_pair_is_proposed_once_and_stays_decided(store: SqlStore) -> None:
    one = MergeProposal("p1", "case-1", "case-2", "two_references", event_id(1), 90, T0, "waiting")
    two = replace(one, id="p2", proposed_at=T0 + HOUR)

    def work(tx: Transaction) -> None:
        tx.cases.propose(one)
        tx.cases.propose(two)
        tx.cases.decide("p1", "rejected")
        tx.cases.propose(one)

    def see(tx: Transaction) -> object:
        return tx.cases.proposal("p1"), tx.cases.proposals("waiting", 9), tx.cases.proposal("p3")

    seen = await same_before_and_after_commit(store, work, see)
    assert seen == (replace(one, state="rejected"), [two], None)
    await store.writer.write(lambda tx: tx.cases.decide("p2", "accepted"))
    assert await store.writer.read(lambda tx: tx.cases.proposals("waiting", 9)) == []


async def test_quarantine_keeps_everything_and_counts_what_waits(store: SqlStore) -> None:
    held = Held("q1", T0, "le", "k1", "arrest.made", "refused", (("/data/x", "is required"),), "token", "waiting")
    other = replace(held, id="q2", agency="jail")

    def work(tx: Transaction) -> None:
        for entry in (held, other, replace(held, title="again")):
            tx.quarantine.hold(entry)
        tx.quarantine.mark("q2", "redriven", T0)

    def see(tx: Transaction) -> object:
        q = tx.quarantine
        return q.get("q1"), q.get("q2"), q.waiting(9), q.count_waiting(), q.count_waiting("jail"), q.bytes_waiting("le")

    seen = await same_before_and_after_commit(store, work, see)
    assert seen == (held, replace(other, state="redriven"), [held], 1, 0, len("token"))
    assert (await store.counts.figures()).quarantined == 1
    await store.writer.write(lambda tx: tx.quarantine.renew(replace(other, title="once more")))
    assert await store.writer.read(lambda tx: tx.quarantine.get("q2")) == replace(other, title="once more")


async def test_bodies_of_settled_entries_go_by_age_and_by_number(store: SqlStore) -> None:
    held = Held("q", T0, "le", "k1", "arrest.made", "refused", (), "token", "waiting")

    def work(tx: Transaction) -> None:
        for n in range(6):
            tx.quarantine.hold(replace(held, id=f"q{n}", agency="jail" if n == 5 else "le"))
            if n:
                tx.quarantine.mark(f"q{n}", "discarded", T0 + n * HOUR)
        tx.quarantine.drop_settled("le", keep=2, before=T0 + 1.5 * HOUR)

    await store.writer.write(work)
    bodies = await store.writer.read(lambda tx: [tx.quarantine.get(f"q{n}").sealed_body for n in range(6)])  # type: ignore[union-attr]
    assert bodies == ["token", "", "", "token", "token", "token"]
    await store.writer.write(lambda tx: tx.quarantine.drop_settled("le", keep=9, before=T0 + 3.5 * HOUR))
    assert (await store.writer.read(lambda tx: tx.quarantine.get("q3"))).sealed_body == ""  # type: ignore[union-attr]


async def test_a_revoked_key_stays_revoked(store: SqlStore) -> None:
    key = StoredKey("k1", "le", b"hash", T0, "records system")

    def work(tx: Transaction) -> None:
        tx.api_keys.add(key)
        tx.api_keys.revoke("k1", T0 + HOUR)
        tx.api_keys.revoke("k1", T0 + 2 * HOUR)

    seen = await same_before_and_after_commit(
        store, work, lambda tx: (tx.api_keys.get("k1"), tx.api_keys.all(), tx.api_keys.get("k2"))
    )
    revoked = replace(key, revoked_at=T0 + HOUR)
    assert seen == (revoked, [revoked], None)


async def test_the_audit_log_is_a_chain(store: SqlStore) -> None:
    heads = await store.writer.write(lambda tx: [tx.audit.append(b'{"n":1}'), tx.audit.append(b'{"n":2}')])
    heads.append(await store.writer.write(lambda tx: tx.audit.append(b'{"n":1}')))
    assert len(set(heads)) == 3
    entries = await store.writer.read(lambda tx: tx.audit.entries(1, 10))
    assert entries == [(2, heads[1], b'{"n":2}'), (3, heads[2], b'{"n":1}')]


WRITES: list[Callable[[Transaction], object]] = [
    lambda tx: append(tx, ARREST),
    lambda tx: tx.cases.add_case("case-1"),
    lambda tx: tx.cases.set_forward("case-1", "case-2"),
    lambda tx: tx.audit.append(b"{}"),
    lambda tx: tx.quarantine.mark("q1", "discarded", T0),
    lambda tx: tx.quarantine.hold(Held("q1", T0, "le", "k1", "t", "refused", (), "", "waiting")),
    lambda tx: tx.api_keys.revoke("k1", T0),
]


@pytest.mark.parametrize("write", WRITES)
async def test_a_query_must_not_write(store: SqlStore, write: Callable[[Transaction], object]) -> None:
    with pytest.raises(TypeError, match="a query must not write"):
        await store.writer.read(write)


ELSEWHERE: list[Callable[[Transaction], object]] = [
    lambda tx: tx.views.put(CaseView("case-1")),
    lambda tx: tx.links.put("case-1", []),
    lambda tx: tx.links.remove("case-1", []),
    lambda tx: tx.deadlines.due(T0, 1),
    lambda tx: tx.deadlines.next_at(),
    lambda tx: tx.outbox.add([], position=1, recorded_at=T0, alerting=True),
    lambda tx: tx.rewriting.sweep(),
    lambda tx: tx.rewriting.positions([]),
    lambda tx: tx.rewriting.records("case-1", []),
    lambda tx: tx.rewriting.put(CaseView("case-1"), {}),
]


@pytest.mark.parametrize("ask", ELSEWHERE)
async def test_what_belongs_to_others_is_refused_by_name(store: SqlStore, ask: Callable[[Transaction], object]) -> None:
    for run in (store.writer.write, store.writer.read):
        with pytest.raises(NotInThisStore, match="not in the SQL store"):
            await run(ask)
