"""What the casebook's workers wrote comes into the store once, in whatever pieces and by however many projectors."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from ccr_events.core.model import Link
from services.engine.ports import Alertable
from services.engine.sql import MAX_BATCH, Consumed, Projection, SqlStore, Told, open_store
from services.engine.transaction import StorageFailed
from tests.support.casebooks import EVENTS, LINKS, Casebooks, pieces
from tests.support.core_rules import HOUR, T0, event_id, fact
from tests.support.records import record
from tests.support.sending import Sent

Rows = Callable[[str], list[Any]]


def books() -> Casebooks:
    """Arrests in four cases, one of which is merged into another."""
    made = Casebooks()
    for n in range(1, 41):
        made.accept(fact(n, "arrest.made", n, case_id=f"case-{n % 4}", dv="yes", refs=(("incident_no", f"I-{n}"),)))
    made.accept(fact(50, "case.merged", 50, agency="ccr", case_id="case-1", into="case-2"))
    made.accept(fact(51, "call.closed", 51, case_id="case-3"))
    made.fold_all(Random(1))
    return made


def project_events(projection: Projection, made: Casebooks, case: str) -> int:
    records = made.consumed(case)
    return projection.project_events(records, topic=EVENTS, partition=made.partitions[case], upto=len(records))


def project_links(projection: Projection, made: Casebooks, case: str) -> list[Alertable]:
    told = made.links[case]
    return projection.project_transitions(told, topic=LINKS, partition=made.partitions[case], upto=len(told))


async def test_carried_events_come_in_and_intakes_own_are_known(store: SqlStore, sent: Sent, rows: Rows) -> None:
    made = books()
    sent.lost_answers = 1
    own = [f for log in made.events.values() for f, _ in log if f.type != "case.absorbed"]
    with pytest.raises(StorageFailed):
        await store.writer.write(lambda tx: [tx.events.append(record(f)) for f in own if not tx.events.find(f.id)])
    assert len(rows("SELECT * FROM store_unsent")) == len(own)
    new = [await asyncio.to_thread(project_events, store.projection, made, case) for case in made.events]
    assert sum(new) == sum(len(log) for log in made.events.values()) - len(own) == 10
    assert rows("SELECT * FROM store_unsent") == []  # they were taken, though nobody said so
    assert await store.log.editions() == ["e1"]
    carried = [f for f, _ in made.events["case-2"] if f.type == "case.absorbed"]
    log = await store.log.of_case("case-2")
    assert [r.event_id for r in log][-10:] == [f.id for f in carried]
    assert [r.position for r in await store.log.read(0)] == list(range(1, len(own) + 11))
    assert await store.writer.write(lambda tx: tx.events.append(record(fact(60, "call.closed", 60)))) == len(own) + 11
    assert sent.ids == [*(f.id for f in own), event_id(60)]


async def test_a_case_that_only_a_carried_event_names_exists(store: SqlStore) -> None:
    made = books()
    assert not await store.writer.write(lambda tx: tx.cases.case_exists("case-2"))
    await asyncio.to_thread(project_events, store.projection, made, "case-2")
    assert await store.log.editions() == ["e1"]
    assert await store.writer.write(lambda tx: tx.cases.case_exists("case-2"))
    assert await store.writer.read(lambda tx: tx.cases.case_exists("case-2"))


async def test_what_was_brought_is_left_out(store: SqlStore) -> None:
    made = books()
    projection, partition = store.projection, made.partitions["case-2"]
    assert projection.position(EVENTS, partition) == 0
    assert project_events(projection, made, "case-2") > 0
    assert project_events(projection, made, "case-2") == 0
    told = project_links(projection, made, "case-2")
    assert [a.seq for a in told] == list(range(1, len(told) + 1))
    assert project_links(projection, made, "case-2") == []
    assert projection.position(EVENTS, partition) == len(made.events["case-2"])
    assert projection.position(LINKS, partition) == len(made.links["case-2"])
    assert projection.position(LINKS, partition + 1) == 0


async def test_a_transition_that_is_told_again_is_dropped_and_changes_nothing(store: SqlStore) -> None:
    """As after a crash of its worker: the same transitions, at later offsets."""
    made = books()
    told = project_links(store.projection, made, "case-3")
    before = await store.links.links(open_only=False, limit=1000)
    again = [
        Told(len(told) + one.offset, one.case_id, one.transition, one.recorded_at, True) for one in made.links["case-3"]
    ]
    partition = made.partitions["case-3"]
    assert store.projection.project_transitions(again, topic=LINKS, partition=partition, upto=2 * len(told)) == []
    assert store.projection.position(LINKS, partition) == 2 * len(told)
    assert await store.links.links(open_only=False, limit=1000) == before


async def test_many_projectors_count_together(address: str) -> None:
    made = books()
    chance = Random(7)
    async with open_store(address) as one, open_store(address) as other:

        def run(case: str, projection: Projection) -> None:
            for batch in pieces(chance, len(made.links[case])):
                told = [made.links[case][n] for n in batch]
                partition = made.partitions[case]
                projection.project_transitions(told, topic=LINKS, partition=partition, upto=batch.stop)

        threads = [
            threading.Thread(target=run, args=(case, store.projection)) for case in made.links for store in (one, other)
        ]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join() for thread in threads])
        told = {t.transition.id for log in made.links.values() for t in log if isinstance(t, Told)}
        for store in (one, other):
            heard: list[Alertable] = []
            async for page in store.alerts.follow(0):
                heard += page
                if len(heard) >= len(told):
                    break
            assert [a.seq for a in heard] == list(range(1, len(told) + 1))
            assert {a.transition.id for a in heard} == told
            assert await store.alerts.last_seq() == len(told)


async def test_links_and_counts_are_those_of_the_cases(store: SqlStore) -> None:
    made = books()
    for case in made.links:
        project_links(store.projection, made, case)
        project_events(store.projection, made, case)
    for case in made.events:
        expected = [link for holder, link in made.held.values() if holder == case]
        found = await store.links.links(case_id=case, open_only=False)
        assert sorted(found, key=lambda link: link.id) == sorted(expected, key=lambda link: link.id)
        view = await store.writer.read(lambda tx, case=case: tx.views.get(case))
        assert view == made.views[case]
    links = [link for _, link in made.held.values()]
    figures = await store.counts.figures()
    assert sum(count.open for count in figures.links) == sum(not link.state.ended for link in links)
    assert figures.outbox_seq == await store.alerts.last_seq()
    assert figures.position == len(await store.log.read(0))
    assert figures.deadlines_pending == sum(not s.reached for link in links for s in link.steps if not link.state.ended)
    assert figures.next_deadline_at == min(s.at for link in links for s in link.steps if not s.reached)


async def test_links_are_listed_most_urgent_first(store: SqlStore) -> None:
    made = books()
    for case in made.links:
        project_links(store.projection, made, case)

    def by_urgency(link: Link) -> Any:
        return (link.due_at is None, link.due_at, link.id)

    found = await store.links.links(limit=1000)
    assert found == sorted(found, key=by_urgency)
    assert found == [link for link in found if not link.state.ended]
    one = found[0]
    assert await store.links.link(one.id) == one
    assert await store.links.link(event_id(99)) is None
    assert await store.links.links(agency="nobody") == []
    own = await store.links.links(agency=one.agency, limit=3)
    assert own == [link for link in found if link.agency == one.agency][:3]


async def test_what_is_out_of_bounds_is_refused(store: SqlStore) -> None:
    records = [Consumed(n, b"") for n in range(MAX_BATCH + 1)]
    with pytest.raises(ValueError, match="at most 1000 records"):
        store.projection.project_events(records, topic=EVENTS, partition=0, upto=len(records))
    with pytest.raises(ValueError, match="at most 1,000 event ids"):
        await store.log.known([event_id(n) for n in range(1001)])


async def test_history_is_marked(store: SqlStore) -> None:
    made = books()
    silent = [Told(t.offset, t.case_id, t.transition, T0 + HOUR, False) for t in made.links["case-3"]]
    store.projection.project_transitions(silent, topic=LINKS, partition=0, upto=len(silent))
    async for page in store.alerts.follow(0):
        assert {a.alerting for a in page} == {False}
        assert {a.recorded_at for a in page} == {T0 + HOUR}
        break
