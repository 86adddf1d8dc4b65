"""What the engine costs an event beside the fold, as batches grow: it must fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bench.figure import Figure
from bench.kafka_peers import WAYS, Way
from bench.kafka_rounds import Runner

SIZES = {1: 10, 10: 5, 100: 2, 1_000: 1, 10_000: 1}
"""Most records of a batch → one in so many of the events is read."""
ROUNDS = 2
LOOK = 5
"""One in so many of the bench's events is read by the largest batches."""


def measure(runner: Runner) -> Sequence[Figure]:
    """Microseconds an event less the fold alone, for each size of batch: on the clock, and of processor time."""
    ways = {way.name: way for way in WAYS}
    fold = replace(ways["fold"], part=LOOK)
    sizes = {most: replace(ways["ours"], part=LOOK * part) for most, part in SIZES.items()}
    runner.prepared(fold)
    for way in sizes.values():
        runner.prepared(way)
    alone = _least(runner, fold)
    figures = []
    for most, way in sizes.items():
        clock, cpu = _least(runner, way, at_once=str(most))
        figures.append(
            Figure(
                "overhead",
                f"batches of at most {most:,}",
                clock - alone[0],
                "µs an event beside the fold",
                extra={
                    "processor_time_us": round(cpu - alone[1], 1),
                    "fold_us": round(alone[0], 2),
                    "events": runner.size(way),
                },
            )
        )
    falling = [figure.value for figure in figures]
    figures.append(
        Figure(
            "overhead",
            "times less with the largest batches than with the smallest",
            falling[0] / max(falling[-1], 0.01),
            "times",
            1.0,
        )
    )
    return figures


def _least(runner: Runner, way: Way, **options: str) -> tuple[float, float]:
    """Microseconds an event, on the clock and of processor time: the least of some runs, the one disturbed least."""
    told = [runner.run(way, **options) for _ in range(ROUNDS)]
    clock, cpu = (min(each[name] / each["events"] for each in told) for name in ("s", "cpu_s"))
    return clock * 1e6, cpu * 1e6
