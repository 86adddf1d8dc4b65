"""Whatever owners do to a partition one after the other or at the same time, the next one has every event and deadline.

A few workers fold the same input, take checkpoints, crash, lose their files, take the partition over, and write on
though another has taken over, also half a checkpoint; the topic is compacted at any time. In the end a worker, new or
old, restores the partition and reads on: its views must be those of all events, as a dictionary has them.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core.model import Link
from ccr_events.core.view import CaseView
from services.engine.kafka.batches.records import Record
from services.engine.kafka.views import (
    Checkpoint,
    NotTheOwner,
    PartitionViews,
    Refolding,
    open_partition,
    restore,
    restoring,
)
from tests.services.engine.kafka.views.pretended import Log, reader_of
from tests.support.case_views import deadlines_of, fact_of_case, link_of_case, minute, view_with

CASES = ["a", "b", "c"]
WORKERS = 3
VIEWS, EVENTS = "views", "events"


def links_after(case_id: str, facts: int) -> list[Link]:
    """Two facts open a link each, the third ends the second of these."""
    return [
        link_of_case(case_id, n, n * 7 % 50, n * 7 % 50 + 5, ended=n % 3 == 1 and n + 1 < facts)
        for n in range(facts)
        if n % 3 != 2
    ]


def view_after(case_id: str, facts: int) -> CaseView:
    return view_with(case_id, facts, *links_after(case_id, facts))


def folded(view: CaseView, record: Record) -> CaseView:
    """The same view when it has the fact; facts of a case come in the order of their numbers, none may be missing."""
    number = int(record.value or b"")
    if fact_of_case(view.case_id, number).id in view.facts:
        return view
    assert number == len(view.facts), f"{view.case_id} lacks an event before {number}"
    return view_after(view.case_id, number + 1)


@dataclass(slots=True)
class Worker:
    """One worker, its partition open or not."""

    directory: Path
    passes_offsets: bool
    views: PartitionViews | None = None
    position: int = 0
    underway: Checkpoint | None = None
    unwritten: list[tuple[bytes, bytes]] = field(default_factory=list)
    placed: list[int] = field(default_factory=list)

    def crash(self) -> None:
        if self.views is not None:
            self.views.close()
        self.views = self.underway = None


@dataclass(slots=True)
class World:
    """The topics and the workers."""

    directory: Path
    limit: int
    silent: int = 0
    """Of records that stand at a multiple of this, nobody is told where they stand."""
    logs: dict[str, Log] = field(default_factory=lambda: {VIEWS: Log(), EVENTS: Log()})
    facts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CASES, 0))
    workers: list[Worker] = field(default_factory=list)

    def publish(self, number: int) -> None:
        case_id = CASES[number % len(CASES)]
        self.logs[EVENTS].append(case_id.encode(), b"%d" % self.facts[case_id])
        self.facts[case_id] += 1

    def take_over(self, worker: Worker) -> None:
        worker.crash()
        views = open_partition(worker.directory, 0, epoch=1, topic=VIEWS, max_value_bytes=self.limit, cache_facts=4)
        with patch.object(restoring, "reader", reader_of(self.logs)):
            asyncio.run(restore(views, "", refolding=Refolding(folded, EVENTS)))
        worker.views, worker.position = views, views.offset

    def fold(self, worker: Worker, count: int) -> None:
        views = worker.views
        if views is None:
            return
        for record in self.logs[EVENTS].records[worker.position : worker.position + count]:
            case_id = (record.key or b"").decode()
            before = views.get(case_id)
            after = folded(before, record)
            if after is not before:
                changed = [link for link in after.links.values() if before.links.get(link.id) != link]
                views.put(after, changed)
            worker.position = record.offset + 1

    def begin_checkpoint(self, worker: Worker) -> None:
        if worker.views is not None and worker.underway is None:
            worker.underway = worker.views.checkpoint(worker.position)
            worker.unwritten = list(worker.underway.records)
            worker.placed = []

    def write(self, worker: Worker, count: int) -> None:
        if worker.underway is not None:
            for key, value in worker.unwritten[:count]:
                worker.placed.append(self.logs[VIEWS].append(key, value))
            worker.unwritten = worker.unwritten[count:]

    def settle(self, worker: Worker) -> None:
        if worker.views is None or worker.underway is None or worker.unwritten:
            return
        placed = range(worker.placed[0], worker.placed[-1] + 1)
        try:
            known = worker.passes_offsets and not (self.silent and placed.start % self.silent == 0)
            worker.views.settle(worker.underway, placed if known else None)
        except NotTheOwner:
            worker.crash()
        worker.underway = None

    def lose(self, worker: Worker) -> None:
        worker.crash()
        shutil.rmtree(worker.directory, ignore_errors=True)

    def compact(self, share: int) -> None:
        log = self.logs[VIEWS]
        log.compact(log.end * share // 10)

    def check(self, worker: Worker) -> None:
        self.take_over(worker)
        views = worker.views
        assert views is not None
        self.fold(worker, len(self.logs[EVENTS].records))
        expected = [view_after(case_id, facts) for case_id, facts in self.facts.items()]
        for _ in ("before a checkpoint", "after it"):
            assert [views.get(view.case_id) for view in expected] == expected
            pending = deadlines_of(*expected)
            assert views.due(minute(99), 1_000) == pending
            assert views.due(minute(20), 1_000) == [each for each in pending if each.at <= minute(20)]
            assert views.next_at() == (pending[0].at if pending else None)
            self.begin_checkpoint(worker)
            self.write(worker, 99)
            self.settle(worker)


def world_with(directory: Path, *, limit: int = 10_000, passes_offsets: bool = False, silent: int = 0) -> World:
    world = World(directory, limit, silent)
    world.workers = [Worker(directory / str(number), passes_offsets) for number in range(WORKERS)]
    return world


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("publish", "publish", "fold", "all", "all", "half", "half", "rest", "rest"),
                *("take over", "take over", "take over", "crash", "lose", "compact", "compact"),
            ]
        ),
        st.integers(0, WORKERS - 1),
        st.integers(0, 10),
    ),
    min_size=8,
    max_size=40,
)


@given(
    STEPS,
    st.integers(0, WORKERS - 1),
    st.sampled_from([230, 10_000]),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
@settings(max_examples=30, deadline=None)
def test_the_next_owner_has_every_event(
    steps: list[tuple[str, int, int]], last: int, limit: int, passes_offsets: bool, anew: bool, silent: int
) -> None:
    with TemporaryDirectory() as directory:
        world = world_with(Path(directory), limit=limit, passes_offsets=passes_offsets, silent=silent)
        try:
            for what, who, number in steps:
                step(world, world.workers[who], what, number)
            if anew:
                world.lose(world.workers[last])
                world.compact(10)
            world.check(world.workers[last])
        finally:
            for worker in world.workers:
                worker.crash()


def step(world: World, worker: Worker, what: str, number: int) -> None:
    if what == "publish":
        world.publish(number)
    elif what == "fold":
        world.fold(worker, number)
    elif what in ("all", "half"):
        world.fold(worker, number if what == "half" else 99)
        world.begin_checkpoint(worker)
        world.write(worker, number % 4 if what == "half" else 99)
        world.settle(worker)
    elif what == "rest":
        world.write(worker, 99)
        world.settle(worker)
    elif what == "take over":
        world.take_over(worker)
    elif what == "crash":
        worker.crash()
    elif what == "lose":
        world.lose(worker)
    else:
        world.compact(number)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = world_with(tmp_path)
    yield made
    for worker in made.workers:
        worker.crash()


def test_the_record_of_a_late_owner_is_all_that_compaction_left_of_a_case(world: World) -> None:
    late, owner, heir = world.workers
    world.publish(0)
    world.take_over(late)
    world.fold(late, 1)
    world.begin_checkpoint(late)
    world.take_over(owner)
    world.publish(0)
    step(world, owner, "all", 0)
    world.write(late, 1)
    world.publish(1)
    step(world, owner, "all", 0)
    world.compact(10)
    world.take_over(heir)
    assert heir.position == 1
    world.check(heir)
    world.lose(late)
    world.compact(10)
    world.take_over(late)
    assert late.position == 3  # the heir has put it right for everybody
    world.check(late)


def test_the_mark_of_a_late_owner_is_all_that_compaction_left(world: World) -> None:
    late, owner, heir = world.workers
    for _ in range(3):
        world.publish(0)
    world.take_over(late)
    world.fold(late, 3)
    world.begin_checkpoint(late)
    world.take_over(owner)
    world.write(late, 1)
    world.fold(owner, 2)
    step(world, owner, "half", 0)
    world.write(owner, 99)
    world.settle(owner)
    world.write(late, 1)
    world.compact(10)
    world.take_over(heir)
    assert heir.position == 2  # the mark says 3, which the owner never got to
    world.check(heir)


def test_a_late_record_changes_nothing_for_whoever_has_the_newer_one(world: World) -> None:
    late, owner, heir = world.workers
    world.publish(0)
    world.take_over(late)
    world.fold(late, 1)
    world.begin_checkpoint(late)
    world.take_over(owner)
    world.publish(0)
    step(world, owner, "all", 0)
    world.write(late, 99)
    world.take_over(heir)
    assert heir.position == 2
    world.check(heir)
