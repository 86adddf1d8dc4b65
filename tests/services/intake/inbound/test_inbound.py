"""Inbound topics through the door: nothing skipped, nothing committed before it is durable, nobody holds up another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from ccr_events.envelope import Event, write_structured
from services.engine.kafka.topics.catalogue import INBOUND
from services.engine.ports import Receipt, Submission
from services.engine.transaction import StorageFailed
from services.intake import holding
from services.intake.arrivals import Arrivals
from services.intake.inbound import InboundTopics, agencies_topics
from tests.support.doors import Doorway, an_event, doorway

SOURCES = agencies_topics()
POLICE, JAIL = TopicPartition(INBOUND + "le", 0), TopicPartition(INBOUND + "jail", 0)


@dataclass
class Written:
    """A record on a topic."""

    offset: int
    value: bytes
    headers: list[tuple[str, bytes | None]] = field(default_factory=list)


@dataclass
class Consuming:
    """A consumer's part that is asked of: what is paused, where it reads on, what is committed."""

    ours: set[TopicPartition] = field(default_factory=lambda: {POLICE, JAIL})
    held: set[TopicPartition] = field(default_factory=set)
    sought: dict[TopicPartition, int] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    refuses_commits: bool = False

    def assignment(self) -> set[TopicPartition]:
        return self.ours

    def paused(self) -> set[TopicPartition]:
        return self.held

    def pause(self, tp: TopicPartition) -> None:
        self.held.add(tp)

    def resume(self, tp: TopicPartition) -> None:
        self.held.discard(tp)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.sought[tp] = offset

    def highwater(self, tp: TopicPartition) -> int:
        return 10

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.refuses_commits:
            raise CommitFailedError
        self.committed.update(offsets)


@dataclass
class Failing:
    """A door that refuses, so often, or an event that breaks it."""

    way: Doorway
    times: int = 0
    breaks_on: str = ""

    async def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        if self.times:
            self.times -= 1
            raise StorageFailed("the disk is full")
        if any(s.event.id == self.breaks_on for s in submissions):
            raise RecursionError("quotes the event")
        return await self.way.door.submit(submissions)


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Doorway]:
    async with doorway(tmp_path) as opened:
        yield opened


def inbound(way: Doorway, door: Failing | None = None) -> InboundTopics:
    return InboundTopics("127.0.0.1:1", Arrivals(door or way.door, way.quarantine, way.observer), SOURCES)


def written(offset: int, *events: Event, history: bool = False) -> Written:
    forms = [write_structured(event) for event in events]
    value = orjson.dumps(forms if len(forms) > 1 else forms[0])
    return Written(offset, value, [("alerting", b"0")] if history else [])


async def test_every_record_goes_through_the_door_in_the_name_of_its_topic(way: Doorway) -> None:
    consumer, topics = Consuming(), inbound(way)
    records = [
        written(3, an_event(1)),
        written(4, an_event(2), an_event(3)),
        written(5, an_event(4), history=True),
        Written(6, b"\xff not JSON"),
        written(7, an_event(5, "jail.booked")),  # police do not book: forbidden, and not kept
    ]
    await topics._partition(consumer, POLICE, records)
    assert consumer.committed == {POLICE: 8}
    log = await way.engine.log.read(0)
    assert [orjson.loads(record.body)["agency"] for record in log] == ["le"] * 4
    history = await way.engine.writer.read(lambda tx: tx.events.find(an_event(4).id))
    assert history is not None
    assert not history.alerting
    (kept,) = await way.quarantine.waiting()
    assert (kept.agency, kept.title) == ("le", "The event cannot be read")
    assert await way.quarantine.open(kept.id, purpose="repair", by="0" * 16) == b"\xff not JSON"


async def test_the_source_of_an_event_does_not_say_whose_it_is(way: Doorway) -> None:
    consumer, topics = Consuming(), inbound(way)
    await topics._partition(consumer, JAIL, [written(0, an_event(1))])  # an arrest, which police report
    assert await way.engine.log.read(0) == []
    assert ("refused", "jail", "forbidden") in way.observer.seen
    assert consumer.committed == {JAIL: 1}


async def test_the_log_names_a_forbidden_record_and_nothing_of_it(
    way: Doorway, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await inbound(way)._partition(Consuming(), JAIL, [written(41, an_event(1))])
    assert "ccr.inbound.jail, offset 41: 1 refused" in caplog.text
    assert an_event(1).id not in caplog.text


async def test_what_cannot_be_stored_waits_and_is_brought_again(way: Doorway) -> None:
    consumer = Consuming()
    topics = inbound(way, Failing(way, times=2))
    records = [written(3, an_event(1)), written(4, an_event(2))]
    for _ in range(2):
        await topics._partition(consumer, POLICE, records)
        assert consumer.committed == {}
        assert (consumer.held, consumer.sought) == ({POLICE}, {POLICE: 3})
        topics._look(consumer)
        assert topics.standing["le"].why == "the disk is full"
        assert topics.standing["le"].lag == 7
        assert topics.standing["jail"].why is None
        assert await topics.reason() == "le: the disk is full"
        consumer.resume(POLICE)
    await topics._partition(consumer, POLICE, records)
    assert consumer.committed == {POLICE: 5}
    topics._look(consumer)
    assert (topics.standing["le"].why, topics.standing["le"].lag) == (None, 5)
    assert await topics.reason() is None
    assert len(await way.engine.log.read(0)) == 2


async def test_a_topic_is_read_again_once_its_wait_is_over(way: Doorway, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consuming()
    topics = inbound(way, Failing(way, times=1))
    await topics._partition(consumer, POLICE, [written(0, an_event(1))])
    topics._look(consumer)
    assert consumer.held == {POLICE}
    topics._waiting[POLICE].until_s = 0.0
    topics._look(consumer)
    assert consumer.held == set()


async def test_a_topic_that_another_worker_reads_by_now_is_not_waited_for(way: Doorway) -> None:
    consumer = Consuming()
    topics = inbound(way, Failing(way, times=1))
    consumer.ours = {JAIL}
    await topics._partition(consumer, POLICE, [written(0, an_event(1))])
    topics._look(consumer)
    assert (consumer.held, consumer.sought) == (set(), {})
    assert set(topics.standing) == {"jail"}


async def test_a_full_quarantine_holds_its_agency_and_what_was_before_is_committed(
    way: Doorway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "MAX_WAITING", 1)
    consumer, topics = Consuming(), inbound(way)
    records = [Written(0, b"one"), Written(1, b"two"), written(2, an_event(1))]
    await topics._partition(consumer, POLICE, records)
    assert (consumer.committed, consumer.sought) == ({POLICE: 1}, {POLICE: 1})
    topics._look(consumer)
    assert "quarantine of le is full" in str(topics.standing["le"].why)
    (entry,) = await way.quarantine.waiting()
    await way.quarantine.discard(entry.id, by="0" * 16)
    await topics._partition(consumer, POLICE, records[1:])
    assert consumer.committed == {POLICE: 3}
    assert len(await way.engine.log.read(0)) == 1  # event 1 came twice and is there once


async def test_a_defect_costs_the_record_that_meets_it_and_no_other(
    way: Doorway, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = Consuming()
    topics = inbound(way, Failing(way, breaks_on=an_event(2).id))
    await topics._partition(consumer, POLICE, [written(n, an_event(n)) for n in range(1, 4)])
    assert consumer.committed == {POLICE: 4}
    assert len(await way.engine.log.read(0)) == 2
    (kept,) = await way.quarantine.waiting()
    assert "RecursionError" in kept.problems[0].message
    assert "quotes the event" not in caplog.text
    receipt = await way.quarantine.redrive(kept.id, body=None, by="0" * 16)
    assert receipt.status == "accepted"


async def test_an_offset_that_cannot_be_committed_stops_nothing(way: Doorway) -> None:
    consumer, topics = Consuming(refuses_commits=True), inbound(way)
    await topics._partition(consumer, POLICE, [written(0, an_event(1))])
    consumer.refuses_commits = False
    await topics._partition(consumer, POLICE, [written(0, an_event(1)), written(1, an_event(2))])
    assert consumer.committed == {POLICE: 2}
    assert len(await way.engine.log.read(0)) == 2


async def test_kafka_that_is_away_is_told_and_stopping_ends_the_wait(way: Doorway) -> None:
    topics, stopping = inbound(way), asyncio.Event()
    running = asyncio.create_task(topics.run(stopping))
    while topics.failure is None:
        await asyncio.sleep(0.01)
    assert "cannot be read" in topics.failure
    stopping.set()
    await running
