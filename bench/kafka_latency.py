"""From publishing an event to the transition it causes, beside the broker's own round trip of the very same event.

Events of the scripted week are produced with acks=all to `ccr.events`, as intake does. A consumer of that topic sees
them: the broker's own way. The product's casebook worker folds them and writes what they oblige to, acknowledged, to
`ccr.links`, and a consumer of that sees it: what an alert takes on Kafka. HTTP before and behind it is `bench.http`'s.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from bench.county import records
from bench.figure import Figure
from bench.kafka_casebook import READY
from bench.kafka_events import PARTITIONS
from bench.kafka_rounds import Runner, environ
from ccr_events.policy import load_policies
from services.casebook.partition import CAUSE
from services.engine.kafka.topics import Layout, Size, apply, catalogue, cluster_admin, differences, write_layout
from services.engine.kafka.topics.catalogue import EVENTS, LINKS
from services.engine.kafka.topics.partition import partition_of

RATES = {100: (10.0, 3.0), 5_000: (5.0, 10.0)}
"""Events a second → seconds of it, and how many times the broker's own p99 is the most allowed."""
ROUNDS = 5
WARM_S = 5.0
"""At the smaller rate, unmeasured, after the worker's start."""
PATIENCE_S = 60.0
"""How long the worker may take to start, and the last transition to come."""
QUIET_S = 1.0
"""Without a new transition for so long, none is missing any more."""
LEAST_PART = 0.2
"""So many of the week's events cause a transition at least; fewer, and something is wrong."""
TICK_S = 0.0005
"""The prober looks so often which events are due."""

Place = tuple[int, int]
"""Partition and offset of an event on `ccr.events`."""


class Seen:
    """A consumer in a thread of its own: when each event was first seen."""

    def __init__(self, bootstrap: str, topic: str, place: Callable[[Any], Place]) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self.at: dict[Place, float] = {}
        self.newest = time.perf_counter()
        self._place = place
        self._over = threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "enable.auto.commit": False}
        )
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(topic, number), PATIENCE_S)[1]
            for number in range(PARTITIONS)
        ]
        self._consumer.assign([TopicPartition(topic, number, end) for number, end in enumerate(ends)])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            record = self._consumer.poll(0.1)
            if record is not None and not record.error():
                self.newest = time.perf_counter()
                self.at.setdefault(self._place(record), self.newest)
        self._consumer.close()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()


def measure(runner: Runner) -> Sequence[Figure]:
    """For each rate, the median of the rounds' ratios of the two p99."""
    taken: dict[int, list[tuple[list[float], list[float]]]] = {rate: [] for rate in RATES}
    asyncio.run(_topics(runner.bootstrap))
    with (
        TemporaryDirectory(prefix="casebook-", dir=runner.directory) as directory,
        _casebook(runner.bootstrap, Path(directory)),
    ):
        prober = _Prober(runner.bootstrap)
        prober.run(min(RATES), WARM_S)
        for _ in range(ROUNDS):
            for rate, (seconds, _most) in RATES.items():
                taken[rate].append(prober.run(rate, seconds))
    return [_figure(rate, taken[rate], most) for rate, (_, most) in RATES.items()]


def _figure(rate: int, taken: Sequence[tuple[list[float], list[float]]], most: float) -> Figure:
    ratios = [_p99(alerts) / _p99(trips) for trips, alerts in taken]
    return Figure(
        "latency",
        f"publish to transition, p99 against the broker's own round trip, {rate:,} events/s",
        median(ratios),
        "times",
        most,
        lower_is_better=True,
        extra={
            "p99_ms": round(median(_p99(alerts) for _, alerts in taken) * 1_000, 2),
            "p50_ms": round(median(median(alerts) for _, alerts in taken) * 1_000, 2),
            "broker_p99_ms": round(median(_p99(trips) for trips, _ in taken) * 1_000, 2),
            "broker_p50_ms": round(median(median(trips) for trips, _ in taken) * 1_000, 2),
            "least": round(min(ratios), 2),
            "most": round(max(ratios), 2),
            "rounds": len(ratios),
            "transitions": sum(len(alerts) for _, alerts in taken),
        },
    )


class _Prober:
    """Publishes at a steady rate, whatever happens to what was published."""

    def __init__(self, bootstrap: str) -> None:
        from confluent_kafka import Producer

        self._bootstrap = bootstrap
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 0}
        )
        self._records = records(load_policies(), era=uuid4().hex[:8])

    def run(self, rate: int, seconds: float) -> tuple[list[float], list[float]]:
        """Seconds from publishing to the consumer of events and to that of links, of each event that caused one."""
        count = int(rate * seconds)
        made = [(each.fact.case_id.encode(), each.body) for each in islice(self._records, count)]
        sent: dict[Place, float] = {}
        with (
            _seen(self._bootstrap, EVENTS, lambda record: (record.partition(), record.offset())) as arrived,
            _seen(self._bootstrap, LINKS, lambda record: (record.partition(), _cause(record))) as caused,
        ):
            began, done = time.perf_counter(), 0
            while done < count:
                due = min(count, int((time.perf_counter() - began) * rate) + 1)
                for key, value in made[done:due]:
                    self._producer.produce(
                        EVENTS, value, key, partition_of(key, PARTITIONS), on_delivery=_noted(sent, time.perf_counter())
                    )
                done = max(done, due)
                self._producer.poll(0)
                time.sleep(TICK_S)
            self._producer.flush(PATIENCE_S)
            deadline = time.perf_counter() + PATIENCE_S
            while (
                len(arrived.at) < count or time.perf_counter() - max(caused.newest, arrived.newest) < QUIET_S
            ) and time.perf_counter() < deadline:
                time.sleep(TICK_S)
        both = [place for place in sent if place in arrived.at and place in caused.at]
        if len(both) < count * LEAST_PART:
            raise RuntimeError(f"only {len(both)} of {count} events caused a transition within {PATIENCE_S:.0f} s")
        return [arrived.at[each] - sent[each] for each in both], [caused.at[each] - sent[each] for each in both]


@contextmanager
def _seen(bootstrap: str, topic: str, place: Callable[[Any], Place]) -> Iterator[Seen]:
    seen = Seen(bootstrap, topic, place)
    try:
        yield seen
    finally:
        seen.close()


def _noted(sent: dict[Place, float], at: float) -> Callable[[Any, Any], None]:
    def delivered(error: object, record: Any) -> None:
        if error:
            raise RuntimeError(f"an event was not acknowledged: {error}")
        sent[record.partition(), record.offset()] = at

    return delivered


def _cause(record: Any) -> int:
    """Offset of the event that caused a transition; -1 for one that no event of ours caused."""
    return int(dict(record.headers() or ()).get(CAUSE, b"-1"))


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[-1]


async def _topics(bootstrap: str) -> None:
    """The backbone's own."""
    wanted = catalogue(Size(PARTITIONS, copies=1))
    async with cluster_admin(bootstrap) as admin:
        await apply(admin, wanted, differences(wanted, {}))
    await write_layout(bootstrap, Layout(1, PARTITIONS))


@contextmanager
def _casebook(bootstrap: str, directory: Path) -> Iterator[None]:
    """A casebook worker that is ready; ended afterwards. Raises `RuntimeError`."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "bench.kafka_casebook", bootstrap, str(directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ(),
    )
    given_up = threading.Timer(PATIENCE_S, worker.kill)
    given_up.start()
    try:
        assert worker.stdout is not None
        if not any(line.strip() == READY for line in worker.stdout):
            _, said = worker.communicate()
            raise RuntimeError(f"the casebook worker did not become ready:\n{said[-2_000:]}")
        given_up.cancel()
        yield
    finally:
        given_up.cancel()
        worker.terminate()
        worker.communicate()
