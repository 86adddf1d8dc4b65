"""The one producer of an intake worker: synchronous for the writer's thread, idempotent, on all replicas in sync.

aiokafka runs in an event loop and a thread of its own. Records of one partition go as one record batch, in the order
given. aiokafka tries an idempotent batch again without end; here the wait has a bound, and after it the producer is
thrown away with what it still held: its records are sent again by the next one, and whoever reads drops repeated ids.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from services.engine.kafka.outgoing.record import EventRecord, event_record
from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.kafka.topics.partition import partition_of
from services.engine.sql.outgoing import OutgoingRecord

PATIENCE_S = 8.0
"""How long Kafka may take to acknowledge: longer than the election of a new leader, shorter than a caller waits."""
REQUEST_S = 5.0
"""How long one request to a broker may take before it is tried again."""
REACH_S = 2.0
"""How long Kafka may take to answer when it is only asked whether it does."""
CLOSE_S = 5.0
"""How long a producer may take to close."""
BATCH_BYTES = 512 * 1024
"""A record batch grows to this; a larger record is a batch of its own."""

_ADVICE: Mapping[type[BaseException], str] = {
    MessageSizeTooLargeError: "the topic takes less than it is to take (max.message.bytes): see ccr kafka topics plan, "
    "and apply",
    TopicAuthorizationFailedError: "this user may not write there: see ccr kafka acls plan, and apply",
}
_PRESUMED = "see that its brokers run and that this service may write there"

T = TypeVar("T")
_log = logging.getLogger(__name__)


class NotSent(RuntimeError):
    """Kafka did not acknowledge; says why and what to do. Some of the records may be on the topic all the same."""


class KafkaOutgoing:
    """Writes events to one topic. Implements `services.engine.sql.outgoing.Outgoing`."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        partitions: int,
        *,
        security: Security | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`partitions`: how many the layout says the topic has."""
        self._bootstrap = bootstrap
        self._topic = topic
        self._partitions = partitions
        self._security = security
        self._patience_s = patience_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ccr-outgoing", daemon=True)
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self._failure: str | None = None
        self._records_refused = False
        """Whether Kafka refused the newest records for what they are: then it does not help that it answers."""
        self._retired: str | None = None

    @property
    def failure(self) -> str | None:
        """Why the newest records were not sent; None when they were."""
        return self._failure

    def start(self) -> None:
        """Start the thread and reach Kafka. Raises `NotSent` when it does not answer."""
        self._thread.start()
        self.send(())

    def reach(self) -> str | None:
        """Why nothing can be sent now, asked of Kafka where it did not answer last; None when it can."""
        if self._failure is not None and not self._records_refused:
            with suppress(NotSent):
                self._write((), min(REACH_S, self._patience_s))
        return self._failure

    def retire(self, why: str) -> None:
        """From now on send nothing, for good: `why` says what to do."""
        self._retired = self._failure = why

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        """Write all, those of one case in order; returns when all replicas in sync have them.

        Raises `NotSent`; returns or raises within `patience_s + CLOSE_S`.
        """
        self.write([event_record(each.case_id, each.body, alerting=each.alerting) for each in records])

    def write(self, records: Sequence[EventRecord]) -> None:
        """The same for records that are made already."""
        self._write(records, self._patience_s)

    def _write(self, records: Sequence[EventRecord], patience_s: float) -> None:
        if self._retired is not None:
            raise NotSent(self._retired)
        sending = self._call(self._sent(records, patience_s))
        try:
            sending.result(patience_s + CLOSE_S)
        except (KafkaError, OSError, TimeoutError) as error:
            self._records_refused = isinstance(error, KafkaError) and not error.retriable
            self._failure = (
                f"Kafka at {self._bootstrap} did not take what was sent to {self._topic} ({type(error).__name__}): "
                f"{_ADVICE.get(type(error), _PRESUMED)}; it is sent again with the next events"
            )
            raise NotSent(self._failure) from error
        finally:
            sending.cancel()  # were it not done by now, it would mix with the next
        self._failure, self._records_refused = None, False

    def close(self) -> None:
        """Close the producer and end the thread."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        with suppress(TimeoutError):
            self._call(self._end()).result(2 * CLOSE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_S)
        if not self._loop.is_running():
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _sent(self, records: Sequence[EventRecord], patience_s: float) -> None:
        async with asyncio.timeout(patience_s), self._turn:
            try:
                if self._producer is None:
                    self._producer = self._made()
                    await self._producer.start()
                await asyncio.gather(*await self._on_their_way(self._producer, records))
            except BaseException:
                self._drop()
                raise

    def _made(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=int(REQUEST_S * 1000),
            **aiokafka_settings(self._security),
        )

    async def _on_their_way(
        self, producer: AIOKafkaProducer, records: Sequence[EventRecord]
    ) -> list[asyncio.Future[object]]:
        by_partition: dict[int, list[EventRecord]] = {}
        for record in records:
            by_partition.setdefault(partition_of(record.key, self._partitions), []).append(record)
        return [
            await producer.send_batch(batch, self._topic, partition=partition)
            for partition, own in by_partition.items()
            for batch in _batches(producer, own)
        ]

    def _drop(self) -> None:
        """Let a producer go that cannot be trusted any more; the next one is made when it is needed."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = self._loop.create_task(_thrown_away(producer))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _end(self) -> None:
        if self._producer is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._producer.stop(), CLOSE_S)
            self._drop()
        await asyncio.gather(*self._leaving, return_exceptions=True)
        # aiokafka leaves tasks behind where stopping it took too long; the loop ends, and they with it.
        left = asyncio.all_tasks() - {task for task in (asyncio.current_task(),) if task is not None}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _batches(producer: AIOKafkaProducer, records: Sequence[EventRecord]) -> list[Any]:
    made: list[Any] = []
    for record in records:
        if not made or not _appended(made[-1], record):
            made.append(producer.create_batch())
            _appended(made[-1], record)
    for batch in made:
        batch.close()
    return made


def _appended(batch: Any, record: EventRecord) -> bool:
    headers = list(record.headers)
    return batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is not None


async def _thrown_away(producer: AIOKafkaProducer) -> None:
    """Close at once, not waiting for what it holds: aiokafka would try that again for as long as it takes."""
    sending = producer._sender.sender_task
    if sending is not None:
        sending.cancel()
    try:
        await producer.client.close()
        if sending is not None:
            await asyncio.wait({sending}, timeout=CLOSE_S)
        await asyncio.wait_for(producer.stop(), CLOSE_S)
    except Exception as error:  # it is of no use any more, whatever it says
        _log.warning("a producer that had failed did not close cleanly (%s)", type(error).__name__)


@asynccontextmanager
async def sending(outgoing: KafkaOutgoing, *, required: bool) -> AsyncIterator[KafkaOutgoing]:
    """Start it, and close it in the end, beside the event loop. `required`: raises `NotSent` when Kafka does not answer
    now; otherwise `failure` says so, and it is reached when there is something to write."""
    try:
        with nullcontext() if required else suppress(NotSent):
            await asyncio.to_thread(outgoing.start)
        yield outgoing
    finally:
        await asyncio.to_thread(outgoing.close)
