"""The same events and the same cheap fold in four ways of reading and writing Kafka, each as a process of its own.

`python -m bench.kafka_loops WAY BOOTSTRAP EVENTS` reads so many events of `bench-in` from the beginning, folds them,
writes a changelog to `bench-out`, commits, and prints seconds from the first fold to the last acknowledged output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import orjson

SOURCE, TARGET = "bench-in", "bench-out"
PARTITIONS = 4
PER_CASE = 100
EVENT_BYTES = 541
MOST_AT_ONCE = 2_000
"""Records that the plain loops take at once."""


def event(number: int) -> tuple[bytes, bytes]:
    """Key and value; 100 events a case, of the size that a sealed event has."""
    case = b"case-%08d" % (number // PER_CASE)
    head = b'{"id":"%012d","type":"incident.reported","case":"%s","n":%d,"sealed":"' % (number, case, number)
    return case, head + b"x" * (EVENT_BYTES - len(head) - 2) + b'"}'


class Fold:
    """Counts an event into the view of its case. Stands for the core, which is measured elsewhere."""

    def __init__(self) -> None:
        self.views: dict[bytes, dict[str, Any]] = {}

    def __call__(self, key: bytes, value: bytes) -> bytes:
        """Fold one event; returns the case's view, as the changelog takes it."""
        event = orjson.loads(value)
        view = self.views.setdefault(key, {"events": 0, "last": "", "types": {}})
        view["events"] += 1
        view["last"] = event["id"]
        view["types"][event["type"]] = view["types"].get(event["type"], 0) + 1
        return orjson.dumps(view)


class Watch:
    """From the first fold to the last acknowledged output."""

    def __init__(self, events: int) -> None:
        self.events, self.seen, self.began, self.cpu = events, 0, 0.0, 0.0

    def folding(self) -> None:
        """Called before a fold; the first starts the watch."""
        if not self.began:
            self.began, self.cpu = time.perf_counter(), time.process_time()

    def done(self, count: int) -> bool:
        """So many more outputs are acknowledged; True when that is all."""
        self.seen += count
        return self.seen >= self.events

    def tell(self) -> None:
        """Print what was measured."""
        elapsed, cpu = time.perf_counter() - self.began, time.process_time() - self.cpu
        print(json.dumps({"events": self.seen, "s": elapsed, "cpu_s": cpu}), flush=True)


async def ours(bootstrap: str, watch: Watch, fold: Fold) -> None:
    """Faust with the batch transport and batch produce."""
    import faust

    from services.engine.kafka.batches import (
        Output,
        Outputs,
        RecordBatch,
        batch_agent,
        batch_topic,
        broker_url,
        read_limits,
    )

    app = faust.App(broker=broker_url(bootstrap), **_faust_settings())
    limits = await read_limits(bootstrap, [TARGET])
    outputs = Outputs(lambda: app.producer._ensure_producer(), limits, _refused)
    over = asyncio.Event()

    async def work(batch: RecordBatch) -> Awaitable[None]:
        watch.folding()
        made = (Output(TARGET, r.key, fold(r.key or b"", r.value or b"")) for r in batch.records)
        return acknowledged(outputs.send(batch.partition, made), len(batch.records))

    async def acknowledged(sending: Awaitable[None], count: int) -> None:
        await sending
        if watch.done(count):
            over.set()

    batch_agent(app, batch_topic(app, SOURCE), work)
    await _until(app, over, watch)


async def faust_agent(bootstrap: str, watch: Watch, fold: Fold) -> None:
    """A stock Faust agent, a message at a time, as its documentation writes one."""
    import faust

    app = faust.App(broker=";".join(f"kafka://{a}" for a in bootstrap.split(",")), **_faust_settings())
    raw = {"key_serializer": "raw", "value_serializer": "raw"}
    target, over = app.topic(TARGET, **raw), asyncio.Event()

    @app.agent(app.topic(SOURCE, **raw))
    async def agent(stream: Any) -> None:
        async for key, value in stream.items():
            watch.folding()
            await target.send(key=key, value=fold(key, value))
            if watch.done(1):
                await app.producer.flush()
                over.set()

    await _until(app, over, watch)


async def aiokafka_loop(bootstrap: str, watch: Watch, fold: Fold) -> None:
    """A plain loop on aiokafka: read, fold, send, wait for the outputs, commit."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

    consumer = AIOKafkaConsumer(
        SOURCE,
        bootstrap_servers=bootstrap,
        group_id=uuid4().hex,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_poll_records=MOST_AT_ONCE,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    async with consumer, producer:
        over = False
        while not over:
            sent, count = [], 0
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                watch.folding()
                for record in records:
                    folded = fold(record.key, record.value)
                    sent.append(await producer.send(TARGET, folded, key=record.key, partition=record.partition))
                count += len(records)
            if count:
                await asyncio.gather(*sent)
                await consumer.commit()
                over = watch.done(count)
    watch.tell()


async def librdkafka_loop(bootstrap: str, watch: Watch, fold: Fold) -> None:
    """The same loop on librdkafka."""
    from confluent_kafka import Consumer, Producer

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid4().hex,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 524_288,
        }
    )
    consumer.subscribe([SOURCE])
    over = False
    while not over:
        records = consumer.consume(MOST_AT_ONCE, timeout=1.0)
        if records:
            watch.folding()
        for record in records:
            folded = fold(record.key(), record.value())
            producer.produce(TARGET, folded, key=record.key(), partition=record.partition())
        if records:
            producer.flush()
            consumer.commit(asynchronous=False)
            over = watch.done(len(records))
    watch.tell()
    consumer.close()


async def fold_alone(_: str, watch: Watch, fold: Fold) -> None:
    """No engine at all."""
    events = [event(number) for number in range(watch.events)]
    watch.folding()
    for key, value in events:
        fold(key, value)
    watch.done(len(events))
    watch.tell()


def _faust_settings() -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "datadir": tempfile.mkdtemp(prefix="ccr-bench-faust-"),
        "web_enabled": False,
        "topic_disable_leader": True,
        "broker_commit_interval": 0.5,
        "producer_acks": -1,
        "producer_max_batch_size": 512 * 1024,
    }


async def _until(app: Any, over: asyncio.Event, watch: Watch) -> None:
    await app.start()
    await over.wait()
    watch.tell()
    await app.stop()


async def _refused(record: object) -> None:
    raise AssertionError(record)


WAYS: dict[str, Callable[[str, Watch, Fold], Awaitable[None]]] = {
    "ours": ours,
    "librdkafka": librdkafka_loop,
    "aiokafka": aiokafka_loop,
    "faust_agent": faust_agent,
    "fold": fold_alone,
}
"""Name → how."""

if __name__ == "__main__":
    way, bootstrap, events = sys.argv[1:]
    asyncio.run(WAYS[way](bootstrap, Watch(int(events)), Fold()))
