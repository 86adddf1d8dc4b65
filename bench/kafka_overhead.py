"""What the engine costs an event beside the fold, as batches grow: it must fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from bench.figure import Figure
from bench.kafka_peers import WAYS, Way
from bench.kafka_rounds import Runner

SIZES = {1: 10, 10: 5, 100: 2, 1_000: 1, 10_000: 1}
"""Most records of a batch → one in so many of the events is read."""
ROUNDS = 5
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
    told: dict[int, list[tuple[float, float]]] = {most: [] for most in SIZES}
    folds = []
    for _ in range(ROUNDS):
        folds.append(_spent(runner, fold))
        for most, way in sizes.items():
            told[most].append(_spent(runner, way, at_once=str(most)))
    alone = _medians(folds)
    figures = []
    for most, way in sizes.items():
        clock, cpu = _medians(told[most])
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
    falling = [max(figure.value, 0.01) for figure in figures]
    steps = [before / after for before, after in pairwise(falling)]
    figures.append(
        Figure(
            "overhead",
            "times less with batches of the next size, the least of these steps",
            min(steps),
            "times",
            1.0,
            extra={"from the smallest to the largest": round(falling[0] / falling[-1])},
        )
    )
    return figures


def _spent(runner: Runner, way: Way, **options: str) -> tuple[float, float]:
    """Microseconds an event, on the clock and of processor time."""
    told = runner.run(way, **options)
    return told["s"] / told["events"] * 1e6, told["cpu_s"] / told["events"] * 1e6


def _medians(spent: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return median(clock for clock, _ in spent), median(cpu for _, cpu in spent)
