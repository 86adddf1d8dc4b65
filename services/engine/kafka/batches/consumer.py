"""The consumer: stock Faust's on aiokafka, but for topics that are handed out in batches."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import aiokafka
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import maybe_async

from services.engine.kafka.batches.fetched import Together
from services.engine.kafka.batches.receiving import receive_whole
from services.engine.kafka.batches.records import FetchedRecords, RecordBatch
from services.engine.kafka.batches.spans import Spans
from services.engine.kafka.batches.topics import batched_topics

_NO_TYPE = 0
"""Timestamp type of a batch: its records have their own."""


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Where aiokafka runs. Records of aborted transactions are never handed out, in whatever mode the app is."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        receive_whole(self.thread_loop)
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._key_deserializer = Together(batched_topics(self.app), self.app.conf.broker_max_poll_records)
        return consumer

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run `fun` in the thread. Raises `ConsumerNotStarted` when the thread ends meanwhile.

        Faust's own goes through a queue, whose workers leave it when the app crashes: who called then waits for ever.
        """

        async def called() -> Any:
            return await maybe_async(fun(*args, **kwargs))

        running = asyncio.run_coroutine_threadsafe(called(), self.thread_loop)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            if running.cancelled() and not cast(asyncio.Task[Any], asyncio.current_task()).cancelling():
                raise ConsumerNotStarted("the consumer's thread has ended") from None
            raise

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Say in the log when a partition is not fetched or processed for long, as Faust does every now and then.

        While aiokafka looks up where to read a partition that was just given to it, there is nothing to say, and asking
        raises: the whole app would end for it.
        """
        subscription = self._ensure_consumer()._fetcher._subscriptions.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(driver.ensure_aiokafka_TP(tp))
        if state is not None and state.has_valid_position:
            super().verify_event_path(now, tp)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read every partition again from what is committed of it."""
        found = await super().seek_to_committed()
        await self._from_the_beginning([tp for tp, offset in found.items() if not offset])
        return found

    async def seek_to_committed_of(self, tps: Sequence[TP]) -> dict[TP, int | None]:
        """The same of some partitions; the offsets, None where nothing was ever committed."""
        partitions = [driver.ensure_aiokafka_TP(tp) for tp in tps]
        found = await self.call_thread(self._ensure_consumer().seek_to_committed, *partitions)
        await self._from_the_beginning([tp for tp, offset in found.items() if not offset])
        return {TP(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def _from_the_beginning(self, tps: Sequence[TP]) -> None:
        """aiokafka seeks nowhere when nothing was committed: what was fetched and dropped meanwhile would be lost."""
        batched = batched_topics(self.app)
        starting = [driver.ensure_aiokafka_TP(tp) for tp in tps if tp.topic in batched]
        if starting and self.app.conf.consumer_auto_offset_reset == "earliest":
            await self.call_thread(self._ensure_consumer().seek_to_beginning, *starting)


class BatchConsumer(driver.Consumer):
    """Hands out one message per partition and fetch, and derives the position to commit from what it handed out.

    Built on `getmany`, `_new_offset` and `_add_gap` of faust-streaming 0.15; `ack` is of no use here, because Faust's
    compiled stream iterator does its work itself and never calls it.
    """

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batched = batched_topics(self.app)
        self._reading = 0
        self._spans: defaultdict[TP, Spans] = defaultdict(Spans)
        self._arrived: dict[TP, int] = {}

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109  # Faust's
        """What was fetched: batches first, then the records of other topics as stock Faust takes turns with them."""
        reading = self._reading
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        if not self.flow_active:
            await self._all_read_again()
            return

        def wanted(tp: TP) -> bool:
            return active is None or tp in active or tp in self._buffered_partitions

        def current() -> bool:
            return self.flow_active and self.app.consumer_generation_id == generation

        batched = {tp: records for tp, records in fetched.items() if tp.topic in self._batched}
        single = {tp: records for tp, records in fetched.items() if tp.topic not in self._batched}
        for tp, records in ((tp, records) for tp, lots in batched.items() for records in lots):
            if not current():
                return
            if reading != self._reading:
                # Fetched before or after reading was sent back: there is no telling, so it is sent back once more.
                await self._batches_read_again()
                break
            if wanted(tp):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._handed_out(tp, records)
        for tp, record in self.scheduler.iterate(single):
            if not current():
                return
            if wanted(tp):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield tp, self._to_message(tp, record)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read again from what is committed: whatever was handed out before no longer counts."""
        with self._sent_back():
            found = await super().seek_to_committed()
        self._arrived.update({tp: offset or 0 for tp, offset in found.items()})
        return found

    async def seek(self, partition: TP, offset: int) -> None:
        """Read one partition from elsewhere."""
        with self._sent_back([partition]):
            await super().seek(partition, offset)
        self._arrived[partition] = offset

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Read partitions from elsewhere."""
        with self._sent_back(partitions):
            await super().seek_wait(partitions)
        self._arrived.update(partitions)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Others go on with these. What is done is committed first, since stock Faust forgets it here; what the app
        finishes when it is told is committed then."""
        await self.commit(revoked)
        await super().on_partitions_revoked(revoked)
        await self.commit({tp for tp in revoked if tp.topic in self._batched})
        for tp in revoked:
            self._spans.pop(tp, None)

    def _handed_out(self, tp: TP, records: FetchedRecords) -> ConsumerMessage:
        batch = RecordBatch(tp.topic, tp.partition, records, self._arrived.get(tp))
        self._arrived[tp] = batch.end
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            batch.first,
            records.newest_ms / 1000.0,
            _NO_TYPE,
            None,
            None,
            batch,  # type: ignore[arg-type]  # the topic's raw serializer hands it on untouched
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        self._spans[tp].hand_out(batch.first, batch.end, message)
        return message

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        yield from super()._filter_tps_with_pending_acks(topics)
        for tp in self._spans:
            if tp not in self._acked and (topics is None or tp in topics or tp.topic in topics):
                yield tp

    def _new_offset(self, tp: TP) -> int | None:
        if tp.topic not in self._batched:
            return super()._new_offset(tp)
        # What the stream iterator noted by offset is not used, and must not grow without end.
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        spans = self._spans.get(tp)
        return spans.done_to() if spans else None

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        # The first offsets of two batches lie apart by the records between, which are anything but a gap.
        if tp.topic not in self._batched:
            await super()._add_gap(tp, offset_from, offset_to)

    @contextmanager
    def _sent_back(self, tps: Iterable[TP] | None = None) -> Iterator[None]:
        """Reading goes on elsewhere, in these partitions or in all: what was handed out of them is forgotten.

        The count of readings changes when it begins and when it has happened, so that a fetch during it is noticed.
        """
        affected = [tp for tp in ({*self._spans, *self._arrived} if tps is None else tps) if tp.topic in self._batched]
        moved = tps is None or bool(affected)
        self._reading += moved
        for tp in affected:
            self._spans.pop(tp, None)
            self._arrived.pop(tp, None)
        try:
            yield
        finally:
            self._reading += moved

    async def _all_read_again(self) -> None:
        try:
            await self.perform_seek()
        except Exception as failed:
            self.log.warning("seeking back while the flow is stopped failed: %r", failed)

    async def _batches_read_again(self) -> None:
        """Only the batch topics: a table that is being recovered reads its changelog from elsewhere."""
        tps = [tp for tp in self.assignment() if tp.topic in self._batched]
        with self._sent_back(tps):
            offsets = await self._thread.seek_to_committed_of(tps)
        for tp, offset in offsets.items():
            self._read_offset[tp] = offset
            self._committed_offset[tp] = offset
            self._arrived[tp] = offset or 0
