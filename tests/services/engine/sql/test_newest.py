"""Whatever order partitions are read in, the links end up as the cases have them, each with the case that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.pool import StaticPool

from ccr_events.core.codec import decode_link
from ccr_events.core.model import Fact, Link
from services.engine.ports import Alertable
from services.engine.sql import Projection, Told
from services.engine.sql.tables import COUNTERS, LINKS, METADATA
from tests.support.casebooks import EVENTS, Casebooks, pieces
from tests.support.casebooks import LINKS as LINKS_TOPIC
from tests.support.core_rules import fact


@pytest.fixture
def database() -> Iterator[Engine]:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        METADATA.create_all(connection)
        connection.execute(insert(COUNTERS), [{"name": "events", "last": 0}, {"name": "outbox", "last": 0}])
    yield engine
    engine.dispose()


def history(chance: Random) -> list[Fact]:
    """Two cases that are merged, parted and merged again among reports on both."""
    cases = ("case-1", "case-2")
    facts: list[Fact] = []
    merges = 0
    for number in range(1, 26):
        hours, case = float(number), chance.choice(cases)
        kind = chance.choice(("arrest.made", "arrest.made", "jail.booked", "call.closed", "retract", "move"))
        retractable = [f for f in facts if f.case_id == case and f.agency == "le" and f.corrects is None]
        if kind == "move" and merges % 2 == 0:
            merges += 1
            facts.append(fact(900 + number, "case.merged", hours, agency="ccr", into="case-2"))
        elif kind == "move":
            merged = next(f for f in reversed(facts) if f.type == "case.merged")
            merges += 1
            facts.append(fact(900 + number, "event.retracted", hours, agency="ccr", corrects=int(merged.id[-3:])))
        elif kind == "retract" and retractable:
            target = int(chance.choice(retractable).id[-3:])
            facts.append(fact(number, "event.retracted", hours, corrects=target, case_id=case))
        else:
            refs = (("incident_no", f"I-{chance.randint(1, 3)}"),)
            facts.append(
                fact(number, "arrest.made" if kind == "retract" else kind, hours, case_id=case, refs=refs, dv="yes")
            )
    return facts


def stored(database: Engine) -> dict[str, tuple[str, Link]]:
    with database.connect() as connection:
        rows = connection.execute(select(LINKS.c.held_by, LINKS.c.body).where(~LINKS.c.gone)).all()
    return {link.id: (held_by, link) for held_by, link in ((h, decode_link(b)) for h, b in rows)}


def deliver(
    books: Casebooks, projection: Projection, chance: Random, events: str = EVENTS, links: str = LINKS_TOPIC
) -> list[Alertable]:
    """Every partition of both topics, in batches, in any order among partitions, some of them again."""
    waiting = {(events, case): list(pieces(chance, len(log))) for case, log in books.events.items()}
    waiting |= {(links, case): list(pieces(chance, len(log))) for case, log in books.links.items()}
    heard: list[Alertable] = []
    while waiting := {place: batches for place, batches in waiting.items() if batches}:
        topic, case = chance.choice(sorted(waiting))
        batch = waiting[topic, case].pop(0)
        partition, upto = books.partitions[case], batch.stop
        if topic == events:
            consumed = [books.consumed(case)[n] for n in batch]
            projection.project_events(consumed, topic=topic, partition=partition, upto=upto)
        else:
            told = [books.links[case][n] for n in batch]
            heard += projection.project_transitions(told, topic=topic, partition=partition, upto=upto)
    return heard


@pytest.mark.parametrize("seed", range(40))
def test_links_end_up_as_their_cases_have_them(database: Engine, seed: int) -> None:
    chance = Random(seed)
    books = Casebooks()
    for each in history(chance):
        books.accept(each)
        if chance.random() < 0.7:
            books.fold_all(chance)
    books.fold_all(chance)
    heard = deliver(books, Projection(database, lambda _: None), chance)
    assert [a.seq for a in heard] == list(range(1, len(heard) + 1))
    told = [one.transition.id for log in books.links.values() for one in log if isinstance(one, Told)]
    assert sorted(a.transition.id for a in heard) == sorted(set(told))
    assert stored(database) == books.held


@pytest.mark.parametrize("live", [False, True], ids=["a store built from nothing", "a store that goes on"])
@pytest.mark.parametrize("seed", range(20))
def test_also_when_offsets_began_anew_with_a_repartition(database: Engine, seed: int, live: bool) -> None:
    chance, books, projection = Random(seed), Casebooks(first=1_000), Projection(database, lambda _: None)
    facts = history(chance)
    moved = chance.randint(1, len(facts))
    for each in facts[:moved]:
        books.accept(each)
        if chance.random() < 0.7:
            books.fold_all(chance)
    books.fold_all(chance)
    if live:
        deliver(books, projection, chance)
    books.repartition()
    for each in facts[moved:]:
        books.accept(each)
        if chance.random() < 0.7:
            books.fold_all(chance)
    books.fold_all(chance)
    heard = deliver(books, projection, chance, f"{EVENTS}.g2", f"{LINKS_TOPIC}.g2")
    assert len({a.transition.id for a in heard}) == len(heard)
    assert stored(database) == books.held
