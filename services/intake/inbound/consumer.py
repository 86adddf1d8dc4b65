"""Inbound topics consumed: through the same door as HTTP, an offset committed only once every receipt is durable.

At least once: after a crash or a rebalance what was not committed arrives again, and comes back as duplicate. Each
topic is read by itself: an agency whose records cannot be read or taken in now waits, and holds up no other. Its topic
is paused, and tried again from the first record that is not done. Records that can never be decoded are quarantined as
they lie on the topic, and reading goes on behind them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    IllegalStateError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnsupportedCodecError,
)

from ccr_events.envelope import EnvelopeError
from services.engine.kafka.security import Security, aiokafka_settings
from services.engine.ports import Receipt
from services.engine.transaction import EngineClosed, StorageFailed
from services.intake.arrivals import Arrivals
from services.intake.inbound.closely import Batch, Damaged, read_closely
from services.intake.inbound.reading import Arrived, Record, Source, arrived
from services.sealing.keys import KeyStoreError

GROUP = "ccr.intake"
"""Consumer group of all intake workers: each topic is read by one of them at a time."""
AT_ONCE = 500
"""Records of one topic taken in together."""
POLL_MS = 500
"""How long one look for records waits; so long stopping may take longer."""
LOOK_MS = 100
"""How often it is looked which topics are to be read, and which no longer wait."""
TOPICS_SEEN_MS = 30_000
"""How long it may take to be seen that topics may be read, or no longer."""
FIRST_RETRY_S = 0.2
"""Wait before records that could not be taken in are tried again; doubled each time."""
LONGEST_RETRY_S = 10.0
"""Longest wait between two tries. It never gives up: what waits is not lost."""
KAFKA_RETRY_S = 1.0
"""Wait after Kafka itself could not be read."""

_NONE = TopicPartition("", -1)
"""No topic: waiting for its records raises what is wrong with all of them, and takes none."""
_OF_ONE_TOPIC = (TopicAuthorizationFailedError, UnsupportedCodecError, CorruptRecordException)
"""What aiokafka raises for the topic that was asked for; its other errors are of the group or the cluster."""
_NO_RIGHT = "this service may not read it: see ccr kafka acls plan, and apply"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one agency's topic stands with this worker."""

    lag: int
    """Records that were written and not yet taken in."""
    why: str | None = None
    """Why it waits; None when it does not."""


@dataclass(slots=True)
class _Waiting:
    """A topic that is paused."""

    why: str
    until_s: float
    retry_s: float
    unread: bool
    """Whether it could not be read; else what was read could not be taken in."""


class _NotKept(RuntimeError):
    """The agency's quarantine has no room: the record must be brought again later."""


class InboundTopics:
    """One worker's share of the inbound topics."""

    def __init__(
        self, bootstrap: str, arrivals: Arrivals, sources: Mapping[str, Source], *, security: Security | None = None
    ) -> None:
        """`sources`: topic → in whose name it is read."""
        self._bootstrap = bootstrap
        self._arrivals = arrivals
        self._sources = sources
        self._security = security
        self._waiting: dict[TopicPartition, _Waiting] = {}
        self._done: dict[TopicPartition, int] = {}
        """The first offset that is not taken in."""
        self._ends: dict[TopicPartition, int] = {}
        self._barred: Set[str] = frozenset()
        """Topics that Kafka does not even show to this service."""
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why Kafka cannot be read now; None when it can."""
        return self._failure

    @property
    def standing(self) -> Mapping[str, Standing]:
        """Agency → how its topic stands; of the topics that this worker reads now, or may not read."""
        barred = {self._sources[topic].caller.agency: Standing(0, _NO_RIGHT) for topic in self._barred}
        return barred | {
            self._sources[tp.topic].caller.agency: Standing(
                max(0, end - self._done.get(tp, end)), self._waiting[tp].why if tp in self._waiting else None
            )
            for tp, end in self._ends.items()
        }

    async def reason(self) -> str | None:
        """Why something waits that lies on the topics of this worker; None when nothing does."""
        waiting = [f"{agency}: {each.why}" for agency, each in sorted(self.standing.items()) if each.why is not None]
        return self._failure or "; ".join(waiting) or None

    async def run(self, stopping: asyncio.Event) -> None:
        """Take in what comes until `stopping` is set; what is under way is finished and committed first."""
        while not stopping.is_set():
            try:
                await self._run(stopping)
            except (KafkaError, OSError) as error:
                self._failure = (
                    f"Kafka at {self._bootstrap} cannot be read ({type(error).__name__}): see that its brokers run "
                    "and that this service may read the inbound topics"
                )
                _log.error("inbound: %s", self._failure)
                await _first_of(stopping, KAFKA_RETRY_S)

    async def _run(self, stopping: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=GROUP,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=AT_ONCE,
            metadata_max_age_ms=TOPICS_SEEN_MS,
            **aiokafka_settings(self._security),
        )
        self._waiting.clear()
        readers: dict[TopicPartition, asyncio.Task[None]] = {}
        over = asyncio.Event()
        try:
            await consumer.start()
            # Not before: it would not start for one topic that may not be read.
            consumer.subscribe(sorted(self._sources))
            while not stopping.is_set():
                await consumer.getmany(_NONE, timeout_ms=LOOK_MS)
                for tp in [tp for tp, reader in readers.items() if reader.done()]:
                    readers.pop(tp).result()
                for tp in consumer.assignment() - readers.keys():
                    readers[tp] = asyncio.create_task(self._read(consumer, tp, over), name=f"read {tp.topic}")
                self._failure = None
                self._barred = consumer._client.cluster.unauthorized_topics & self._sources.keys()
                self._look(consumer)
        finally:
            over.set()
            await asyncio.gather(*readers.values(), return_exceptions=True)
            await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer, tp: TopicPartition, over: asyncio.Event) -> None:
        """Take in one topic until it is another worker's. Raises `KafkaError` for what is not this topic's alone."""
        while not over.is_set() and tp in consumer.assignment():
            waiting = self._waiting.get(tp)
            if waiting is not None and waiting.unread and tp not in consumer.paused():
                await self._closely(consumer, tp)
                continue
            try:
                fetched = await consumer.getmany(tp, timeout_ms=POLL_MS)
            except Exception as error:  # whatever decoding what was written met, which can be anything
                if isinstance(error, KafkaError) and not isinstance(error, _OF_ONE_TOPIC):
                    raise
                await self._closely(consumer, tp)
            else:
                for records in fetched.values():
                    await self._partition(consumer, tp, records)

    async def _closely(self, consumer: AIOKafkaConsumer, tp: TopicPartition) -> None:
        """Read on behind the batch at which reading stands: its records taken in, or all of it quarantined."""
        with suppress(IllegalStateError):  # another worker's by now
            at = await consumer.position(tp)
            try:
                batch = await read_closely(consumer._client, tp, at)
                if batch is not None and batch.why is not None:
                    await self._set_aside(tp, batch, batch.why)
            except Exception as error:  # whatever it is, the other agencies are not concerned and nothing is skipped
                self._wait(consumer, tp, at, error, unread=True)
                return
            if batch is not None and batch.records:
                await self._partition(consumer, tp, batch.records)
            else:
                self._waiting.pop(tp, None)
            if batch is not None and tp not in self._waiting:
                self._done[tp] = batch.end
                consumer.seek(tp, batch.end)
                await _commit(consumer, tp, batch.end)

    async def _set_aside(self, tp: TopicPartition, batch: Batch, why: str) -> None:
        """Keep a batch whose records cannot be decoded: as it is, and what is known of it."""
        where = f"{tp.topic}, partition {tp.partition}, offsets {batch.first} to {batch.end - 1}"
        told = EnvelopeError("", f"{where}: {why}; have it sent again", body=batch.raw)
        _check_kept([await self._arrivals.held(told, self._sources[tp.topic].caller, alerting=True)])
        _log.error("%s: %s; quarantined as it is", where, why)

    async def _partition(self, consumer: AIOKafkaConsumer, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Take in the records of one topic and commit; where that fails, have them brought again later."""
        source = self._sources[tp.topic]
        done = records[0].offset
        try:
            for alerting, group in groupby(
                (arrived(record, source) for record in records), key=lambda each: each.alerting
            ):
                for each, receipts in await self._taken_in(list(group), source, alerting=alerting):
                    _check_kept(receipts)
                    _tell_forbidden(tp, each, receipts)
                    done = each.offset + 1
            self._waiting.pop(tp, None)
        except Exception as error:  # whatever it is, the other agencies are not concerned and nothing is skipped
            self._wait(consumer, tp, done, error)
        self._done[tp] = done
        if done > records[0].offset:
            await _commit(consumer, tp, done)

    async def _taken_in(
        self, records: Sequence[Arrived], source: Source, *, alerting: bool
    ) -> list[tuple[Arrived, list[Receipt]]]:
        """Each record with its receipts."""
        try:
            found = [item for record in records for item in record.found]
            receipts = iter(await self._arrivals.taken_in(found, source.caller, alerting=alerting))
            return [(record, [next(receipts) for _ in record.found]) for record in records]
        except (EngineClosed, StorageFailed, KeyStoreError):
            raise
        except Exception as error:  # a defect that one of them meets must not hold up the others, nor lose it
            if len(records) > 1:
                return [
                    pair for record in records for pair in await self._taken_in([record], source, alerting=alerting)
                ]
            kind = type(error).__name__
            _log.error("a record of %s could not be taken in and was quarantined: %s", source.caller.agency, kind)
            broken = EnvelopeError("", f"could not be taken in ({kind}); redrive once fixed", body=records[0].raw)
            return [(records[0], [await self._arrivals.held(broken, source.caller, alerting=alerting)])]

    def _wait(
        self, consumer: AIOKafkaConsumer, tp: TopicPartition, done: int, error: Exception, *, unread: bool = False
    ) -> None:
        before = self._waiting.get(tp)
        retry_s = FIRST_RETRY_S if before is None else min(2 * before.retry_s, LONGEST_RETRY_S)
        why = _why(error)
        if before is None or before.why != why:
            _log.error("%s waits at offset %d: %s", tp.topic, done, why)
        self._waiting[tp] = _Waiting(why, asyncio.get_running_loop().time() + retry_s, retry_s, unread)
        if tp in consumer.assignment():
            consumer.pause(tp)
            consumer.seek(tp, done)

    def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Topics whose wait is over are read again; those another worker reads by now are not ours."""
        now_s, assigned = asyncio.get_running_loop().time(), consumer.assignment()
        for tp in [tp for tp in self._waiting if tp not in assigned]:
            del self._waiting[tp]
        for tp, waiting in self._waiting.items():
            if waiting.until_s <= now_s and tp in consumer.paused():
                consumer.resume(tp)
        self._ends = {tp: consumer.highwater(tp) or 0 for tp in assigned}
        self._done = {tp: offset for tp, offset in self._done.items() if tp in assigned}


def _why(error: Exception) -> str:
    """Why a topic waits, and what to do; nothing of what was written."""
    if isinstance(error, EngineClosed | StorageFailed | KeyStoreError | _NotKept | Damaged):
        return str(error)
    if isinstance(error, TopicAuthorizationFailedError):
        return _NO_RIGHT
    if isinstance(error, KafkaError):
        return f"Kafka does not give its records ({type(error).__name__}): see that its brokers run"
    return f"{type(error).__name__}, a defect"


def _check_kept(receipts: Sequence[Receipt]) -> None:
    for receipt in receipts:
        if receipt.status in ("quarantined", "conflict") and receipt.quarantine_id is None:
            raise _NotKept(receipt.title)


def _tell_forbidden(tp: TopicPartition, record: Arrived, receipts: Sequence[Receipt]) -> None:
    """Nothing of it is kept, and there is nobody to answer: at least the operator can be asked."""
    forbidden = [receipt.title for receipt in receipts if receipt.status == "forbidden"]
    if forbidden:
        _log.warning("%s, offset %d: %d refused: %s", tp.topic, record.offset, len(forbidden), forbidden[0])


async def _commit(consumer: AIOKafkaConsumer, tp: TopicPartition, offset: int) -> None:
    try:
        await consumer.commit({tp: offset})
    except (KafkaError, IllegalStateError) as error:
        # It was taken in; who reads the topic by now gets it again, and it comes back as duplicate.
        _log.warning("%s: offset %d was not committed (%s)", tp.topic, offset, type(error).__name__)


async def _first_of(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return
