"""The batch transport beside stock Faust and plain loops, on one broker, with the same events and the same fold.

Rounds are interleaved, each way as a fresh process, so that a busy machine slows all alike; figures are medians, and
the ratio is of rates within a round.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.figure import Asked, Figure
from bench.kafka_loops import PARTITIONS, PER_CASE, SOURCE, TARGET, WAYS, event

ROUNDS = 5
SLOW = {"faust_agent": 10}
"""Reads only this part of the events: at its rate, it would take most of the time."""
PATIENCE_S = 600


def measure(asked: Asked) -> list[Figure]:
    """Events/s of each way, how many times faster ours is in the same round, and the processor time of its process."""
    count = asked.events
    rates: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, list[float]] = defaultdict(list)
    for found in asyncio.run(_rounds(count, asked.data)):
        for way, told in found.items():
            rates[way].append(told["events"] / told["s"])
            cpu[way].append(told["cpu_s"] / told["events"] * 1_000_000)
    figures = []
    for way in WAYS:
        times = [mine / other for mine, other in zip(rates["ours"], rates[way], strict=True)]
        figures.append(
            Figure(
                "kafka_transport",
                way,
                median(rates[way]),
                "events/s",
                extra={
                    "ours_is_times": round(median(times), 2),
                    "cpu_us_an_event": round(median(cpu[way]), 1),
                    "slowest_round": round(min(rates[way])),
                    "fastest_round": round(max(rates[way])),
                    "rounds": ROUNDS,
                    "events": count // SLOW.get(way, 1),
                },
            )
        )
    return figures


async def _rounds(count: int, data: Path | None) -> list[dict[str, dict[str, float]]]:
    from aiokafka.admin import NewTopic

    from services.engine.kafka.broker import broker
    from services.engine.kafka.topics import cluster_admin

    with TemporaryDirectory(prefix="ccr-bench-kafka-", dir=data) as directory:
        async with broker(Path(directory) / "cluster", heap_mb=512) as bootstrap:
            async with cluster_admin(bootstrap) as admin:
                await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in (SOURCE, TARGET)])
            await asyncio.to_thread(_fill, bootstrap, count)
            return [
                {way: await asyncio.to_thread(_told, way, bootstrap, count // SLOW.get(way, 1)) for way in WAYS}
                for _ in range(ROUNDS)
            ]


def _fill(bootstrap: str, count: int) -> None:
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20, "batch.size": 524_288})
    for number in range(count):
        key, value = event(number)
        producer.produce(SOURCE, value, key=key, partition=number // PER_CASE % PARTITIONS)
        if number % 10_000 == 0:
            producer.flush()
    producer.flush()


def _told(way: str, bootstrap: str, count: int) -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.kafka_loops", way, bootstrap, str(count)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=Path(__file__).parents[1],
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if ran.returncode or not lines:
        raise RuntimeError(f"{way} ended with {ran.returncode}:\n{ran.stderr[-2_000:]}")
    told: dict[str, float] = json.loads(lines[-1])
    return told
