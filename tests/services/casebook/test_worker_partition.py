"""One partition of a worker: what goes out when, what counts as done, and what a failure leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from ccr_events.core.codec import encode_view
from services.casebook import worker_partition
from services.casebook.partition import EditionMissing, Folding
from services.casebook.partition_deadlines import Firing
from services.casebook.worker_partition import OwnedPartition
from services.engine.kafka.batches import Output
from services.engine.kafka.views import PartitionViews, open_partition
from tests.services.casebook.test_partition import ARREST, HOME, MERGE, PLACES, Read, read
from tests.support.core_rules import BOOK, fact


@dataclass
class Kafka:
    """Notes what is written, in the order in which it was acknowledged."""

    written: list[tuple[int, Output]] = field(default_factory=list)
    refuses: str = ""
    """Topic that it does not take."""
    may_acknowledge: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_acknowledge.set()

    async def send(self, partition: int, outputs: Iterable[Output]) -> None:
        found = list(outputs)
        await self.may_acknowledge.wait()
        if any(output.topic == self.refuses for output in found):
            raise OSError("refused")
        self.written += [(partition, output) for output in found]

    async def place(self, partition: int, outputs: Sequence[Output]) -> range | None:
        await self.send(partition, outputs)
        return None

    def topics(self) -> list[str]:
        return [output.topic for _, output in self.written]


@dataclass
class Ours:
    """A partition, its views' directory and its Kafka."""

    directory: Path
    kafka: Kafka = field(default_factory=Kafka)
    certain: bool = True

    def views(self) -> PartitionViews:
        return open_partition(self.directory, HOME, epoch=1)

    def owned(self) -> OwnedPartition:
        return OwnedPartition(
            HOME,
            self.views(),
            Folding(HOME, PLACES, BOOK),
            Firing(lambda at: "e1"),
            PLACES,
            self.kafka.send,
            self.kafka.place,
            lambda: self.certain,
            lambda link: len(BOOK.edition(link.edition).rule(link.rule).ladder),
        )


@pytest.fixture
def ours(tmp_path: Path) -> Ours:
    return Ours(tmp_path)


async def test_transitions_go_out_at_once_and_the_batch_is_done_with_the_checkpoint(ours: Ours) -> None:
    owned = ours.owned()
    done = asyncio.ensure_future(owned.fold(read(ARREST), 0, 1))
    await asyncio.sleep(0.01)
    assert set(ours.kafka.topics()) == {"ccr.links"}
    assert not done.done()
    assert await owned.checkpoint()
    await done
    assert ours.kafka.topics()[-2:] == ["ccr.case-views"] * 2
    assert (owned.position, owned.settled) == (1, 1)
    await owned.close()


async def test_what_was_checkpointed_is_there_again_and_what_was_not_is_folded_again(ours: Ours) -> None:
    owned = ours.owned()
    owned.fold(read(ARREST), 0, 1)
    await owned.checkpoint()
    expected = encode_view(owned.views.get("case-1"))
    owned.fold(read(fact(2, "jail.booked", 5), first=1), 1, 2)
    await owned.close()
    again = ours.owned()
    assert again.position == 1
    assert encode_view(again.views.get("case-1")) == expected
    await again.close()


async def test_a_checkpoint_waits_for_all_that_followed_from_what_it_holds(ours: Ours) -> None:
    owned = ours.owned()
    ours.kafka.may_acknowledge.clear()
    owned.fold(read(ARREST, MERGE), 0, 2)
    checkpoint = asyncio.create_task(owned.checkpoint())
    await asyncio.sleep(0.01)
    assert not ours.kafka.written
    ours.kafka.may_acknowledge.set()
    assert await checkpoint
    topics = ours.kafka.topics()
    assert topics.index("ccr.case-views") > max(n for n, topic in enumerate(topics) if topic != "ccr.case-views")
    await owned.close()


async def test_what_is_folded_during_a_checkpoint_is_not_in_it(ours: Ours) -> None:
    owned = ours.owned()
    first = asyncio.ensure_future(owned.fold(read(ARREST), 0, 1))
    ours.kafka.may_acknowledge.clear()
    checkpoint = asyncio.create_task(owned.checkpoint())
    await asyncio.sleep(0.01)
    second = asyncio.ensure_future(owned.fold(read(fact(2, "jail.booked", 5), first=1), 1, 2))
    ours.kafka.may_acknowledge.set()
    await checkpoint
    await first
    assert not second.done()
    assert owned.settled == 1
    assert await owned.checkpoint()
    await second
    await owned.close()


async def test_records_that_the_state_has_already_are_left_out(ours: Ours) -> None:
    owned = ours.owned()
    owned.fold(read(ARREST), 0, 1)
    await owned.checkpoint()
    before = len(ours.kafka.written)
    await owned.fold(read(ARREST), 0, 1)
    later = owned.fold(read(ARREST, fact(2, "jail.booked", 5)), 0, 2)
    assert owned.counted.repeated == 0
    assert owned.counted.events == 2
    await owned.checkpoint()
    await later
    assert len(ours.kafka.written) > before
    await owned.close()


@pytest.mark.parametrize("topic", ["ccr.links", "ccr.case-views", "ccr.events"])
async def test_when_kafka_refuses_nothing_counts_and_no_later_checkpoint_does(ours: Ours, topic: str) -> None:
    owned = ours.owned()
    ours.kafka.refuses = topic
    done = asyncio.ensure_future(owned.fold(read(ARREST, MERGE), 0, 2))
    with pytest.raises(OSError, match="refused"):
        await owned.checkpoint()
    assert done.cancelled()
    ours.kafka.refuses = ""
    assert not await owned.checkpoint()
    await owned.close()
    again = ours.owned()
    assert again.position == 0
    await again.close()


async def test_state_that_was_folded_half_is_never_kept(ours: Ours) -> None:
    owned = ours.owned()
    unknown = fact(2, "arrest.made", 5, edition="e9")
    with pytest.raises(EditionMissing):
        owned.fold(read(ARREST, unknown), 0, 2)
    assert not await owned.checkpoint()
    await owned.close()
    assert "ccr.case-views" not in ours.kafka.topics()


async def test_nothing_is_written_while_it_is_not_certain_who_owns_the_partition(ours: Ours) -> None:
    owned = ours.owned()
    done = asyncio.ensure_future(owned.fold(read(ARREST), 0, 1))
    ours.certain = False
    assert not await owned.checkpoint()
    assert "ccr.case-views" not in ours.kafka.topics()
    ours.certain = True
    assert await owned.checkpoint()
    await done
    await owned.close()


async def test_letting_go_leaves_what_was_not_checkpointed_unacknowledged(ours: Ours) -> None:
    owned = ours.owned()
    done = asyncio.ensure_future(owned.fold(read(ARREST), 0, 1))
    await owned.close()
    assert done.cancelled()
    again = ours.owned()
    assert again.position == 0
    await again.close()


async def test_poison_is_in_quarantine_before_its_batch_is_done(ours: Ours) -> None:
    owned = ours.owned()
    poison = read(ARREST)
    poison[0].value = b"{"
    done = asyncio.ensure_future(owned.fold(poison, 0, 1))
    await owned.checkpoint()
    await done
    assert ours.kafka.topics() == ["ccr.quarantine", "ccr.case-views"]
    assert (owned.refused, owned.position) == (1, 1)
    await owned.close()


async def test_a_deadline_is_fired_to_the_partition_of_its_case_and_ends_with_its_folding(ours: Ours) -> None:
    owned = ours.owned()
    owned.fold(read(ARREST), 0, 1)
    at = owned.views.next_at()
    assert at is not None
    late = at + timedelta(minutes=1)
    count = await owned.fire(late)
    assert count == len(owned.views.due(late, 100))
    assert await owned.fire(late) == 0
    written = [each for each in ours.kafka.written if each[1].topic == "ccr.events"]
    assert [(number, output.key) for number, output in written] == [(HOME, b"case-1")] * count
    fired = [Read(1 + n, output.value) for n, (_, output) in enumerate(written)]
    owned.fold(fired, 1, 1 + count)
    await owned.checkpoint()
    assert owned.counted.events == 1 + count
    assert await owned.fire(late) == 0
    assert owned.unfolded_deadlines == 0
    await owned.close()


async def test_many_events_call_for_a_checkpoint_and_too_many_wait_for_it(
    ours: Ours, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_partition, "CHECKPOINT_EVENTS", 2)
    monkeypatch.setattr(worker_partition, "MOST_GATHERED", 3)
    owned = ours.owned()
    seen = []
    for number in range(3):
        owned.fold(read(fact(number + 1, "jail.booked", number), first=number), number, number + 1)
        seen.append((owned.calls, owned.full))
    assert seen == [(False, False), (True, False), (True, True)]
    await owned.checkpoint()
    assert (owned.calls, owned.full) == (False, False)
    await owned.close()
