"""What reaches the tables: everything once, in whatever pieces and however often it is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select

from ccr_events.core.fold import step
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from services.engine.ports import Alertable
from services.monitor.read_model.store import EVENTS_STREAM, LINKS_STREAM, MAX_BATCH, ReadModel, open_read_model
from services.monitor.read_model.tables import EVENTS, LINKS, TRANSITIONS
from tests.support.core_rules import BOOK, fact


@pytest.fixture
def model(address: str) -> Iterator[ReadModel]:
    opened = open_read_model(address)
    yield opened
    opened.close()


def history() -> tuple[list[tuple[int, Fact]], list[Alertable], dict[str, Link]]:
    """Arrests, a booking that answers one, and what the rules make of them; the booking is corrected away."""
    facts = [fact(n, "arrest.made", n, refs=(("incident_no", f"I-{n}"),)) for n in range(1, 6)]
    facts.append(fact(6, "jail.booked", 7, agency="jail", refs=(("incident_no", "I-2"),)))
    facts.append(fact(7, "event.retracted", 8, agency="jail", corrects=6))
    view = CaseView("case-1")
    told: list[Alertable] = []
    for one in facts:
        done = step(view, one, BOOK)
        view = done.view
        told += [Alertable(len(told) + n, t, one.recorded_at, True) for n, t in enumerate(done.transitions, start=1)]
    return list(enumerate(facts, start=1)), told, dict(view.links)


def stored(address: str, column: str, table: Any) -> list[Any]:
    url = make_url(address)
    driver = "sqlite+pysqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
    engine = create_engine(url.set(drivername=driver))
    with engine.connect() as connection:
        found = [getattr(row, column) for row in connection.execute(select(table).order_by(table.c[column]))]
    engine.dispose()
    return found


def test_every_event_and_transition_is_there_once(model: ReadModel, address: str) -> None:
    events, told, _ = history()
    assert model.put_events(events) == len(events)
    assert model.put_transitions(told) == len(told)
    assert stored(address, "event_id", EVENTS) == sorted(one.id for _, one in events)
    assert stored(address, "transition_id", TRANSITIONS) == sorted(one.transition.id for one in told)
    assert model.position(EVENTS_STREAM) == len(events)
    assert model.position(LINKS_STREAM) == len(told)


def test_links_stand_as_their_newest_transition_left_them(model: ReadModel, address: str) -> None:
    _, told, links = history()
    assert len(told) > len(links)
    for one in told:
        model.put_transitions([one])
    cancelled = {one.transition.link.id: one.transition.link for one in told} | links
    assert stored(address, "due_at", LINKS) == sorted(link.due_at for link in cancelled.values() if link.due_at)
    assert stored(address, "state", LINKS) == sorted(link.state.value for link in cancelled.values())
    assert "cancelled" in stored(address, "state", LINKS)


def test_sending_again_in_other_pieces_changes_nothing(model: ReadModel, address: str) -> None:
    events, told, _ = history()
    model.put_events(events[:4])
    model.put_transitions(told[:5])
    assert model.put_events(events[1:5]) == 1
    assert model.put_events(events) == len(events) - 5
    assert model.put_transitions(told) == len(told) - 5
    assert model.put_transitions(told[:3]) == 0
    assert stored(address, "last", LINKS) == sorted(stored(address, "last", LINKS))
    assert len(stored(address, "event_id", EVENTS)) == len(events)


def test_an_older_batch_that_comes_late_takes_no_link_back(model: ReadModel, address: str) -> None:
    _, told, _ = history()
    model.put_transitions(told)
    before = stored(address, "state", LINKS)
    model.put_transitions(told[:2])
    assert stored(address, "state", LINKS) == before


def test_partitions_have_positions_of_their_own(model: ReadModel) -> None:
    events, _, _ = history()
    model.put_events(events[:3], partition=0)
    model.put_events([(1, events[4][1])], partition=1)
    assert (model.position(EVENTS_STREAM, 0), model.position(EVENTS_STREAM, 1)) == (3, 1)


def test_two_projections_of_one_partition_write_nothing_twice(model: ReadModel, address: str) -> None:
    events = [(n, fact(n, "arrest.made", n)) for n in range(1, 201)]
    new: list[int] = []

    def project() -> None:
        other = open_read_model(address)
        new.extend(other.put_events(events[i : i + 20]) for i in range(0, 200, 20))
        other.close()

    both = [threading.Thread(target=project) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sum(new) == 200
    assert len(stored(address, "event_id", EVENTS)) == 200


def test_a_batch_over_the_bound_is_refused_and_nothing_of_it_kept(model: ReadModel, address: str) -> None:
    batch = [(n, fact(n, "arrest.made", n)) for n in range(1, MAX_BATCH + 2)]
    with pytest.raises(ValueError, match="at most"):
        model.put_events(batch)
    assert stored(address, "event_id", EVENTS) == []
    assert model.position(EVENTS_STREAM) == 0


def test_instants_come_back_aware_and_in_utc(model: ReadModel, address: str) -> None:
    events, _, _ = history()
    model.put_events(events)
    assert stored(address, "occurred_at", EVENTS) == [one.occurred_at for _, one in events]
