"""From publishing an event to the transition it causes, beside the broker's own round trip of the very same event.

The event is produced with acks=all to the input topic. A consumer of that topic sees it: the broker's own way. Our
worker folds it, writes a transition to the topic of links, acknowledged, and a consumer of that sees it: what an alert
takes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.figure import Figure
from bench.kafka_events import PARTITIONS, event
from bench.kafka_rounds import Runner
from bench.kafka_task import Task
from bench.kafka_workers import workers

RATES = {100: (10.0, 3.0), 5_000: (5.0, 10.0)}
"""Events a second → seconds of it, and how many times the broker's own p99 is the most allowed."""
ROUNDS = 5
WARM_S = 3.0
"""At the smaller rate, unmeasured, after the worker's start."""
PATIENCE_S = 30.0
"""How long the last transition may take."""
TICK_S = 0.0005
"""The prober looks so often which events are due."""


class Seen:
    """A consumer in a thread of its own: when each event's number was first seen."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self.at: dict[int, float] = {}
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
                now = time.perf_counter()
                value = record.value()
                # A transition holds only the event's id; an event begins with it.
                self.at.setdefault(int(value if len(value) <= 12 else value[7:19]), now)
        self._consumer.close()

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join()


def measure(runner: Runner) -> Sequence[Figure]:
    """For each rate, the median of the rounds' ratios of the two p99."""
    ratios: dict[int, list[float]] = {rate: [] for rate in RATES}
    ours: dict[int, list[float]] = {rate: [] for rate in RATES}
    trips: dict[int, list[float]] = {rate: [] for rate in RATES}
    halves: dict[int, list[float]] = {rate: [] for rate in RATES}
    name = f"bench-live-{uuid4().hex[:8]}"
    with (
        runner.target(name) as target,
        runner.topics(f"{name}-events", f"{name}-links") as (source, links),
        TemporaryDirectory(prefix=f"{name}-", dir=runner.directory) as shared,
    ):
        go = Path(shared) / "go"
        go.touch()
        endless = 1 << 40
        task = Task(runner.bootstrap, source, target, endless, endless, name, "", {"go": str(go), "links": links})
        with workers(task, Path(shared), 1):
            prober = _Prober(runner.bootstrap, source, links)
            prober.run(min(RATES), WARM_S)
            for _ in range(ROUNDS):
                for rate, (seconds, _most) in RATES.items():
                    trip, alert = prober.run(rate, seconds)
                    ratios[rate].append(_p99(alert) / _p99(trip))
                    ours[rate].append(_p99(alert) * 1_000)
                    trips[rate].append(_p99(trip) * 1_000)
                    halves[rate].append(median(alert) * 1_000)
    return [
        Figure(
            "latency",
            f"publish to transition p99 against the broker's own round trip, {rate:,} events/s",
            median(ratios[rate]),
            "times",
            most,
            lower_is_better=True,
            extra={
                "p99_ms": round(median(ours[rate]), 2),
                "p50_ms": round(median(halves[rate]), 2),
                "broker_p99_ms": round(median(trips[rate]), 2),
                "rounds": ROUNDS,
            },
        )
        for rate, (_, most) in RATES.items()
    ]


class _Prober:
    """Publishes at a steady rate, whatever happens to what was published."""

    def __init__(self, bootstrap: str, source: str, links: str) -> None:
        from confluent_kafka import Producer

        self._bootstrap, self._source, self._links = bootstrap, source, links
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "acks": "all", "enable.idempotence": True, "linger.ms": 0}
        )
        self._next = 0

    def run(self, rate: int, seconds: float) -> tuple[list[float], list[float]]:
        """Seconds that each event took to the input topic's consumer, and to that of links."""
        arrived, alerted = Seen(self._bootstrap, self._source), Seen(self._bootstrap, self._links)
        first, count = self._next, int(rate * seconds)
        self._next += count
        sent: list[float] = []
        began = time.perf_counter()
        while len(sent) < count:
            due = min(count, int((time.perf_counter() - began) * rate) + 1)
            for number in range(first + len(sent), first + due):
                key, value, partition = event(number)
                sent.append(time.perf_counter())
                self._producer.produce(self._source, value, key=key, partition=partition)
            self._producer.poll(0)
            time.sleep(TICK_S)
        self._producer.flush(PATIENCE_S)
        deadline = time.perf_counter() + PATIENCE_S
        while min(len(arrived.at), len(alerted.at)) < count and time.perf_counter() < deadline:
            time.sleep(TICK_S)
        arrived.close()
        alerted.close()
        missing = [number for number in range(first, first + count) if number not in alerted.at]
        if missing:
            raise RuntimeError(f"{len(missing)} of {count} events made no transition within {PATIENCE_S:.0f} s")
        took = list(enumerate(sent, first))
        return [arrived.at[n] - at for n, at in took], [alerted.at[n] - at for n, at in took]


def _p99(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=100)[-1]
