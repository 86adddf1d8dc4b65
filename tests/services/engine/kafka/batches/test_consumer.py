"""The consumer without a broker: what it hands out and commits through fetches, rebalances, late acknowledgements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import faust
from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import SubscriptionState
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from services.engine.kafka.batches import batch_topic, broker_url
from services.engine.kafka.batches.consumer import BatchConsumer, BatchConsumerThread
from services.engine.kafka.batches.records import FetchedRecords

BATCHED = TP("batched", 0)
SINGLE = TP("single", 0)


@dataclass(frozen=True)
class Fetched:
    """A record as aiokafka has it of other topics."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 1_770_000_000_000
    timestamp_type: int = 0
    headers: tuple[()] = ()
    key: bytes = b"k"
    value: bytes = b"v"
    checksum: None = None
    serialized_key_size: int = 1
    serialized_value_size: int = 1


def together(*offsets: int) -> list[Any]:
    """What aiokafka has of a batch topic: all that was fetched as one, or nothing."""
    records = tuple(Fetched(*BATCHED, offset) for offset in offsets)
    if not records:
        return []
    end = offsets[-1] + 1
    return [
        FetchedRecords(b"", [records], count=len(records), first=offsets[0], end=end, newest_ms=records[-1].timestamp)
    ]


class Partition:
    """The consumer's thread and the broker behind it: a log, where reading stands, what is committed."""

    def __init__(self, consumer: BatchConsumer, offsets: list[int]) -> None:
        self.offsets, self.reads_at, self.committed = offsets, 0, 0
        consumer._thread = self
        self.consumer = consumer

    def assignment(self) -> set[TP]:
        return {BATCHED, SINGLE}

    def highwater(self, _: TP) -> int:
        return self.offsets[-1] + 1

    async def getmany(self, _: Any, timeout: float) -> dict[TP, list[Any]]:
        """Two at once: that is what aiokafka has when `broker_max_poll_records` is smaller than a fetch."""
        return {BATCHED: [*self.take(2), *self.take(1)]}

    def take(self, most: int) -> list[Any]:
        found = [offset for offset in self.offsets if offset >= self.reads_at][:most]
        self.reads_at = found[-1] + 1 if found else self.reads_at
        return together(*found)

    async def seek_to_committed(self) -> dict[TP, int]:
        self.reads_at = self.committed
        return {BATCHED: self.committed}

    async def seek_to_committed_of(self, tps: list[TP]) -> dict[TP, int | None]:
        return {tp: offset for tp, offset in (await self.seek_to_committed()).items() if tp in tps}

    async def commit(self, offsets: dict[TP, int]) -> bool:
        self.committed = offsets.get(BATCHED, self.committed)
        return True


def new_consumer(name: str) -> BatchConsumer:
    app = faust.App(name, broker=broker_url("127.0.0.1:9"), web_enabled=False)
    batch_topic(app, BATCHED.topic)
    app.topics._acking_topics.update([BATCHED.topic, SINGLE.topic])
    consumer = app.transport.create_consumer(
        callback=_nobody, on_partitions_revoked=_nobody, on_partitions_assigned=_nobody
    )
    assert isinstance(consumer, BatchConsumer)
    consumer._thread.thread_loop.close()  # Faust makes one for the thread, which is never started here.
    app.consumer = consumer
    consumer._active_partitions = {BATCHED, SINGLE}
    return consumer


async def _nobody(*_: Any) -> None:
    """Neither fetches nor rebalances by itself."""


class Life(RuleBasedStateMachine):
    """Any life of a worker: nothing is committed that was not done, and in the end everything is."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.handed: list[Any] = []
        self.done: set[int] = set()

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        try:
            self.all_is_done_at_last()
        finally:
            self.loop.close()

    @initialize(gaps=st.lists(st.sampled_from([1, 1, 1, 2, 5]), min_size=4, max_size=25))
    def begin(self, gaps: list[int]) -> None:
        async def made() -> None:
            self.consumer = new_consumer("life")
            offsets = [sum(gaps[: n + 1]) for n in range(len(gaps))]
            self.partition = Partition(self.consumer, offsets)
            self.consumer.resume_flow()

        self.run(made())

    @rule()
    def fetch(self) -> None:
        self.run(self._fetched())

    @rule()
    def sent_back_while_a_fetch_is_under_way(self) -> None:
        """Before it reads or after: what it brings is from neither, or from both."""
        reading = self.partition.getmany

        async def interrupted(*given: Any, **named: Any) -> Any:
            found = await reading(*given, **named)
            await self.consumer.perform_seek()
            return found

        with patch.object(self.partition, "getmany", interrupted):
            self.run(self._fetched())

    @rule()
    def fetched_while_the_flow_is_stopped(self) -> None:
        reading = self.partition.getmany

        async def stopped(*given: Any, **named: Any) -> Any:
            self.consumer.stop_flow()
            return await reading(*given, **named)

        with patch.object(self.partition, "getmany", stopped):
            self.run(self._fetched())
        self.consumer.resume_flow()

    @rule(which=st.integers(0, 100))
    def one_is_done(self, which: int) -> None:
        if self.handed:
            self._acknowledged(self.handed.pop(which % len(self.handed)))

    @rule()
    def commit(self) -> None:
        self.run(self.consumer.commit())

    @rule()
    def rebalanced_and_assigned_again(self) -> None:
        async def rebalanced() -> None:
            await self.consumer.on_partitions_revoked({BATCHED, SINGLE})
            self.consumer.app.consumer_generation_id += 1
            self.consumer._active_partitions = {BATCHED, SINGLE}
            await self.consumer.perform_seek()

        self.run(rebalanced())

    @invariant()
    def nothing_is_committed_that_was_not_done(self) -> None:
        behind = [offset for offset in self.partition.offsets if offset < self.partition.committed]
        assert set(behind) <= self.done

    def all_is_done_at_last(self) -> None:
        self.rebalanced_and_assigned_again()
        for _ in self.partition.offsets:
            self.fetch()
        for message in self.handed:
            self._acknowledged(message)
        self.commit()
        assert self.done == set(self.partition.offsets)
        assert self.partition.committed == self.partition.offsets[-1] + 1

    async def _fetched(self) -> None:
        async for tp, message in self.consumer.getmany(1.0):
            assert tp == BATCHED
            message.refcount = 1
            self.handed.append(message)

    def _acknowledged(self, message: Any) -> None:
        self.done |= {record.offset for record in message.value.records}
        message.ack(self.consumer)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)


async def messages(consumer: BatchConsumer, fetched: dict[TP, list[Any]]) -> list[tuple[TP, Any]]:
    async def brought(*_: Any, **__: Any) -> dict[TP, list[Any]]:
        return fetched

    consumer._thread.getmany = brought  # type: ignore[method-assign]
    return [each async for each in consumer.getmany(1.0)]


async def test_a_batch_is_one_message_and_other_topics_are_stock_fausts() -> None:
    consumer = new_consumer("mixed")
    Partition(consumer, [0])
    consumer.resume_flow()
    fetched = {SINGLE: [Fetched(*SINGLE, n) for n in (4, 5)], BATCHED: together(7, 8, 11)}
    found = await messages(consumer, fetched)
    assert [(tp, message.offset) for tp, message in found] == [(BATCHED, 7), (SINGLE, 4), (SINGLE, 5)]
    batch = found[0][1].value
    assert (batch.topic, batch.partition, batch.first, batch.end) == ("batched", 0, 7, 12)
    assert "value" not in repr(batch)
    assert found[1][1].value == b"v"


async def test_a_paused_partition_is_handed_out_only_when_its_buffer_was_full() -> None:
    """What a full buffer still had in flight is taken; what was paused for a rebalance is not."""
    consumer = new_consumer("paused")
    Partition(consumer, [0])
    consumer.resume_flow()
    fetched = {BATCHED: together(0)}
    consumer.pause_partitions([BATCHED])
    assert await messages(consumer, fetched) == []
    consumer.resume_partitions([BATCHED])
    consumer.app.flow_control.resume()
    consumer.on_buffer_full(BATCHED)
    assert len(await messages(consumer, fetched)) == 1


async def test_other_topics_commit_as_stock_faust_does() -> None:
    consumer = new_consumer("stock")
    Partition(consumer, [0])
    consumer._committed_offset[SINGLE] = 3
    consumer._acked[SINGLE] = [3, 4, 6]
    consumer._acked_index[SINGLE] = {3, 4, 6}
    assert consumer._new_offset(SINGLE) == 5
    await consumer._add_gap(BATCHED, 1, 10)
    assert not consumer._gap[BATCHED]
    await consumer._add_gap(SINGLE, 5, 5)
    assert consumer._gap[SINGLE]


async def test_notes_of_the_stream_iterator_do_not_grow() -> None:
    consumer = new_consumer("notes")
    partition = Partition(consumer, list(range(300)))
    consumer.resume_flow()
    for _ in range(100):
        async for _, message in consumer.getmany(1.0):
            message.refcount = 1
            message.ack(consumer)
        await consumer.commit()
    assert partition.committed == 300
    assert not consumer._acked[BATCHED]
    assert not consumer._acked_index[BATCHED]
    assert not consumer._spans[BATCHED]


class TestWhatFaustLooksAtNowAndThen:
    """Its own look at partitions that do not move must not end the app."""

    def thread(self, subscriptions: SubscriptionState) -> BatchConsumerThread:
        made: Any = BatchConsumerThread.__new__(BatchConsumerThread)
        made._consumer = SimpleNamespace(_fetcher=SimpleNamespace(_subscriptions=subscriptions))
        found: BatchConsumerThread = made
        return found

    async def looks(self, subscriptions: SubscriptionState) -> int:
        """How often Faust's own look is taken."""
        with patch.object(driver.AIOKafkaConsumerThread, "verify_event_path") as look:
            self.thread(subscriptions).verify_event_path(0.0, BATCHED)
        return look.call_count

    async def test_before_it_is_known_where_to_read_there_is_nothing_to_see(self) -> None:
        subscriptions = SubscriptionState()
        assert await self.looks(subscriptions) == 0
        subscriptions.subscribe({"batched"})
        assert await self.looks(subscriptions) == 0
        partition = TopicPartition(*BATCHED)
        subscriptions.assign_from_subscribed([partition])
        assert await self.looks(subscriptions) == 0
        subscriptions.seek(partition, 7)
        assert await self.looks(subscriptions) == 1
