"""The worker around its partitions: when it is ready, when it folds, when it must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from ccr_events.core.model import Fact
from services.casebook import worker, worker_partition
from services.casebook.partition import Folding
from services.casebook.partition_deadlines import Firing
from services.casebook.worker import CasebookSetup, CasebookWorker
from services.casebook.worker_partition import OwnedPartition
from services.engine.kafka.apps import AppSettings, Awoke, reading
from services.engine.kafka.apps import membership as memberships
from services.engine.kafka.batches import RecordBatch
from services.engine.kafka.views import open_partition
from tests.services.casebook.test_partition import ARREST, HOME, PLACES, read
from tests.services.casebook.test_worker_partition import Kafka
from tests.support.core_rules import BOOK, fact

EVENTS = TP("ccr.events", HOME)


class Consumer:
    """Notes where reading was sent to."""

    def __init__(self) -> None:
        self.sought: list[tuple[TP, int]] = []

    async def seek(self, tp: TP, offset: int) -> None:
        self.sought.append((tp, offset))


class Played:
    """A worker without Kafka, to which one partition was given."""

    def __init__(self, directory: Path) -> None:
        self.kafka, self.consumer = Kafka(), Consumer()
        settings = AppSettings("casebook", "localhost:1", directory)
        self.worker = CasebookWorker(CasebookSetup(settings, BOOK, standby=False), PLACES, {})
        self.worker.app.consumer = self.consumer  # type: ignore[assignment]
        self.worker._working = True
        self.owned = OwnedPartition(
            HOME,
            open_partition(directory, HOME, epoch=1),
            Folding(HOME, PLACES, BOOK),
            Firing(lambda at: "e1"),
            PLACES,
            self.kafka.send,
            self.kafka.place,
            self.worker._may_write,
            lambda link: len(BOOK.edition(link.edition).rule(link.rule).ladder),
        )
        self.worker._owned[HOME] = self.owned

    def certain(self, whether: bool) -> None:
        """Whether the group has answered not long ago."""
        self.worker._membership._heard_at_s = memberships.boot_s() - (0.0 if whether else 60.0)

    def sleep(self) -> None:
        """It did not run for a minute; it notices at its next look."""
        self.worker._membership._ticked_at_s -= 60.0

    async def work(self, facts: Sequence[Fact], first: int = 0) -> Any:
        records: Any = read(*facts, first=first)
        return await self.worker._work(RecordBatch("ccr.events", HOME, records, first))


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    made = Played(tmp_path)
    yield made
    await made.owned.close()


def test_it_is_ready_once_it_knows_which_partitions_it_has_also_when_there_are_none(played: Played) -> None:
    assert played.worker.standing().ready
    del played.worker._owned[HOME]
    assert played.worker.standing().ready
    played.worker._working = False
    standing = played.worker.standing()
    assert (standing.ready, standing.unwell) == (False, "it is being told which partitions it has")


async def test_what_waits_is_seen_though_nothing_was_handed_out(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(reading, "monotonic", lambda: now[0])
    monkeypatch.setattr(played.worker._ends, "_known", {EVENTS: 7})
    (standing,) = played.worker.standing().partitions
    assert (standing.position, standing.end, standing.lag) == (0, 7, 7)
    await played.worker._unstick()
    now[0] += reading.STUCK_S + 0.1
    await played.worker._unstick()
    assert played.consumer.sought == [(EVENTS, 0)]


async def test_a_worker_that_slept_neither_folds_nor_tells(played: Played) -> None:
    played.sleep()
    with pytest.raises(Awoke):
        await played.work([ARREST])
    assert (played.owned.position, played.kafka.written) == (0, [])


async def test_what_was_folded_just_before_the_sleep_is_not_told_after_it(played: Played) -> None:
    await played.work([ARREST])
    played.sleep()
    await asyncio.sleep(0.01)
    assert played.kafka.written == []
    with pytest.raises(Awoke):
        await played.owned.checkpoint()


async def test_a_deadline_that_was_found_just_before_the_sleep_is_not_fired_after_it(played: Played) -> None:
    await played.work([ARREST])
    await played.owned.checkpoint()
    told = len(played.kafka.written)
    at = played.owned.views.next_at()
    assert at is not None
    played.sleep()
    with pytest.raises(Awoke):
        await played.owned.fire(at)
    assert len(played.kafka.written) == told


async def until_waiting(working: asyncio.Task[Any]) -> None:
    await asyncio.sleep(0.05)
    assert not working.done()


@pytest.fixture
async def full(played: Played, monkeypatch: pytest.MonkeyPatch) -> asyncio.Task[Any]:
    """A batch for a full partition, while the group does not answer."""
    monkeypatch.setattr(worker, "LOOK_S", 0.01)
    monkeypatch.setattr(worker_partition, "MOST_GATHERED", 1)
    await played.work([ARREST])
    played.certain(False)
    working = asyncio.create_task(played.work([fact(2, "jail.booked", 5)], 1))
    await until_waiting(working)
    return working


async def test_nothing_is_folded_while_a_full_partition_may_not_be_checkpointed(
    played: Played, full: asyncio.Task[Any]
) -> None:
    assert (played.owned.position, played.owned.views.changed) == (1, 1)
    played.certain(True)
    await full
    assert (played.owned.position, played.owned.settled) == (2, 1)


@pytest.mark.parametrize("how", ["handed in", "lost"])
async def test_waiting_for_room_ends_with_the_partition(played: Played, full: asyncio.Task[Any], how: str) -> None:
    if how == "handed in":
        played.worker._working = False
    else:
        del played.worker._owned[HOME]
    left = await full
    assert left.cancelled()
    assert played.owned.position == 1


async def test_waiting_for_room_ends_with_a_worker_that_slept(played: Played, full: asyncio.Task[Any]) -> None:
    played.sleep()
    with pytest.raises(Awoke):
        await full
    assert played.owned.position == 1


async def test_waiting_for_room_is_not_reading_that_is_stuck(
    played: Played, full: asyncio.Task[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STUCK_S", -1.0)
    monkeypatch.setattr(played.worker._ends, "_known", {EVENTS: 7})
    await played.worker._unstick()
    await played.worker._unstick()
    assert played.consumer.sought == []
    full.cancel()
