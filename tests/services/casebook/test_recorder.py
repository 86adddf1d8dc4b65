"""One accepted event: on the log, folded, its links and transitions stored, its moves carried, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations

import pytest

from ccr_events.core.model import Fact, TransitionKind
from ccr_events.envelope import decode_record, fact_of
from services.casebook.recorder import MAX_HOPS, Casebook, MovesTooDeep
from services.engine.ports import Alertable
from services.engine.sqlite import SqliteEngine
from tests.support.core_rules import BOOK, fact
from tests.support.records import CASEBOOK, Silent, append_all, record

ARREST = fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),))
MERGE = fact(9, "case.merged", 200, agency="ccr", into="case-2")


async def publish(engine: SqliteEngine, *facts: Fact) -> None:
    for f in facts:
        await engine.writer.write(lambda tx, f=f: append_all(tx, [f]))  # type: ignore[misc]


async def told(engine: SqliteEngine) -> list[Alertable]:
    async for page in engine.alerts.follow(0):
        return list(page)
    raise AssertionError


async def test_an_arrest_opens_its_links_and_tells_of_them(engine: SqliteEngine) -> None:
    await publish(engine, ARREST)
    links = await engine.links.links()
    assert sorted((x.rule, x.agency) for x in links) == [("R1", "le"), ("R2", "adv"), ("R2", "le")]
    alertables = await told(engine)
    assert {a.transition.link.id for a in alertables} == {x.id for x in links}
    assert {a.transition.kind for a in alertables} == {TransitionKind.OPENED}
    assert {a.recorded_at for a in alertables} == {ARREST.recorded_at}


async def test_a_merge_carries_facts_links_and_later_facts_to_the_surviving_case(engine: SqliteEngine) -> None:
    await publish(engine, ARREST, MERGE, fact(10, "jail.booked", 1, refs=(("incident_no", "A1"),)))
    assert await engine.links.links(case_id="case-1", open_only=False) == []
    survivor = await engine.links.links(case_id="case-2", open_only=False)
    assert {(x.rule, x.state.value) for x in survivor if x.rule == "R1"} == {("R1", "satisfied")}
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("case-1")) == "case-2"
    carried = [fact_of(decode_record(r.body)) for r in await engine.log.of_case("case-2")]
    assert [f.type for f in carried] == ["case.absorbed", "case.absorbed"]
    assert {(f.agency, f.source) for f in carried} == {("ccr", "/ccr/casebook")}
    assert carried[0].recorded_at == MERGE.recorded_at
    assert carried[0].edition == MERGE.edition


async def test_undoing_a_merge_gives_links_and_case_back(engine: SqliteEngine) -> None:
    await publish(engine, ARREST)
    before = await engine.links.links()
    await publish(engine, MERGE, fact(10, "event.retracted", 201, agency="ccr", corrects=9))
    assert await engine.links.links(case_id="case-1") == before
    assert await engine.links.links(case_id="case-2") == []
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("case-1")) == "case-1"
    deadlines = await engine.writer.read(lambda tx: tx.deadlines.next_at())
    assert deadlines == min(s.at for x in before for s in x.steps)


async def test_a_later_merge_takes_the_place_of_an_earlier_one(engine: SqliteEngine) -> None:
    second = fact(10, "case.merged", 202, agency="ccr", into="case-3")
    await publish(engine, ARREST, MERGE, second)
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("case-1")) == "case-3"
    await publish(engine, fact(11, "event.retracted", 203, agency="ccr", corrects=10))
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("case-1")) == "case-2"


async def test_a_split_moves_only_what_has_its_references(engine: SqliteEngine) -> None:
    other = fact(2, "arrest.made", 1, dv="yes", refs=(("incident_no", "B2"),))
    split = fact(3, "case.split", 2, agency="ccr", into="case-2", moved=[{"kind": "incident_no", "number": "B2"}])
    await publish(engine, ARREST, other, split)
    assert {x.trigger_id for x in await engine.links.links(case_id="case-1")} == {ARREST.id}
    assert {x.trigger_id for x in await engine.links.links(case_id="case-2")} == {other.id}
    assert await engine.writer.read(lambda tx: tx.cases.forward_of("case-1")) == "case-1"


SPLIT = fact(3, "case.split", 2, agency="ccr", into="case-2", moved=[{"kind": "incident_no", "number": "A1"}])
RETRACTION = fact(4, "event.retracted", 3, corrects=1)
CORRECTION = fact(5, "arrest.made", 0, late=4, corrects=1, dv="yes", refs=(("incident_no", "A9"),))


@pytest.mark.parametrize("order", list(permutations((ARREST, SPLIT, RETRACTION))))
async def test_a_retraction_moves_with_what_it_retracts(engine: SqliteEngine, order: tuple[Fact, ...]) -> None:
    await publish(engine, *order)
    assert await engine.links.links(open_only=False) == []


@pytest.mark.parametrize("order", list(permutations((ARREST, SPLIT, CORRECTION))))
async def test_a_correction_that_names_another_number_moves_with_what_it_corrects(
    engine: SqliteEngine, order: tuple[Fact, ...]
) -> None:
    await publish(engine, *order)
    assert await engine.links.links(case_id="case-1", open_only=False) == []
    moved = await engine.links.links(case_id="case-2", open_only=False)
    assert {x.references for x in moved} == {(("incident_no", "A9"),)}
    assert len(moved) == 3


async def test_what_was_split_off_does_not_go_along_with_a_later_merge(engine: SqliteEngine) -> None:
    other = fact(2, "arrest.made", 1, dv="yes", refs=(("incident_no", "B2"),))
    merge = fact(8, "case.merged", 200, agency="ccr", into="case-3")
    await publish(engine, ARREST, other, SPLIT, merge)
    for case, arrest in (("case-2", ARREST), ("case-3", other)):
        assert {x.trigger_id for x in await engine.links.links(case_id=case)} == {arrest.id}
    await publish(engine, fact(11, "event.retracted", 203, agency="ccr", corrects=3))
    assert {x.trigger_id for x in await engine.links.links(case_id="case-3")} == {ARREST.id, other.id}
    assert await engine.links.links(case_id="case-2") == []


@pytest.mark.parametrize("moved", ["A1", "B2"])
async def test_a_withdrawn_answer_is_withdrawn_on_both_sides_of_a_split(engine: SqliteEngine, moved: str) -> None:
    split = fact(3, "case.split", 2, agency="ccr", into="case-2", moved=[{"kind": "incident_no", "number": moved}])
    await publish(engine, ARREST)
    link = next(x for x in await engine.links.links(agency="le") if x.rule == "R2")
    await publish(engine, fact(6, "link.acknowledged", 1, link_id=link.id, role=link.role), split)
    assert await state_of(engine, link.id) == "acknowledged"
    await publish(engine, fact(7, "event.retracted", 3, corrects=6))
    assert await state_of(engine, link.id) == "opened"


async def state_of(engine: SqliteEngine, link_id: str) -> str:
    link = await engine.links.link(link_id)
    assert link is not None
    return link.state.value


async def test_a_chain_of_merges_that_is_too_long_is_refused_whole(engine: SqliteEngine) -> None:
    def merge(n: int) -> Fact:
        return fact(1_000 + n, "case.merged", n, agency="ccr", case_id=f"case-{n}", into=f"case-{n + 1}")

    await publish(engine, *(merge(n) for n in range(2, MAX_HOPS + 3)))
    await publish(engine, ARREST)
    position = len(await engine.log.read(0))
    with pytest.raises(MovesTooDeep, match="merge directly"):
        await publish(engine, merge(1))
    assert len(await engine.log.read(0)) == position
    assert len(await engine.links.links(case_id="case-1")) == 3


async def test_what_backfilled_history_moves_alerts_nobody_either(engine: SqliteEngine) -> None:
    await publish(engine, MERGE)
    await engine.writer.write(lambda tx: CASEBOOK.append(tx, record(ARREST, alerting=False)))
    assert {a.alerting for a in await told(engine)} == {False}


@dataclass
class Listening(Silent):
    folds: list[float] = field(default_factory=list)

    def folded(self, seconds: float) -> None:
        self.folds.append(seconds)


async def test_every_fold_is_observed(engine: SqliteEngine) -> None:
    observer = Listening()
    casebook = Casebook(BOOK, observer)
    await publish(engine, ARREST)
    await engine.writer.write(lambda tx: casebook.append(tx, record(MERGE)))
    assert len(observer.folds) == 2  # the merge, and the arrest in the case that absorbs it
    assert all(s >= 0 for s in observer.folds)
