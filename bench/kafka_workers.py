"""Two workers of a group against one: how many times as quick, on the cores there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

from bench.figure import Figure
from bench.kafka_events import PARTITIONS, whole
from bench.kafka_peers import ROOT
from bench.kafka_rounds import PATIENCE_S, Runner, environ
from bench.kafka_task import Task

ROUNDS = 5
PART = 2
"""One in so many of the bench's events is read."""
GOAL = 1.6
CORES = 4
"""Two workers and a broker have a core each with so many: with fewer the goal is not judged."""
ASSIGNED_PATIENCE_S = 60.0
_LOOK_S = 0.05


def measure(runner: Runner) -> Sequence[Figure]:
    """The rates of one and of two workers, in turns, and the median of their ratio."""
    events = whole(runner.events // PART)
    one, two = [], []
    for _ in range(ROUNDS):
        one.append(_rate(runner, events, 1))
        two.append(_rate(runner, events, 2))
    cores = os.cpu_count() or 1
    return [
        Figure("workers", "one worker", median(one), "events/s"),
        Figure("workers", "two workers", median(two), "events/s"),
        Figure(
            "workers",
            "two workers against one",
            median(both / alone for both, alone in zip(two, one, strict=True)),
            "times",
            GOAL if cores >= CORES else None,
            extra={"cores": cores, "events": events},
        ),
    ]


def _rate(runner: Runner, events: int, count: int) -> float:
    """Events a second of all workers together while every one of them worked."""
    name = f"bench-workers-{uuid4().hex[:8]}"
    with (
        runner.target(name) as target,
        TemporaryDirectory(prefix=f"{name}-", dir=runner.directory) as shared,
    ):
        task = Task(runner.bootstrap, runner.source(events), target, events, 1, name, "", {"go": f"{shared}/go"})
        with workers(task, Path(shared), count) as running:
            (Path(shared) / "go").touch()
            told = [_told(worker) for worker in running]
    began = max(batches[0][0] for batches in told)
    ended = min(batches[-1][0] for batches in told)
    folded = sum(end - first for batches in told for at, _, first, end in batches if began < at <= ended)
    return folded / (ended - began)


@contextmanager
def workers(task: Task, shared: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """So many workers, each with its share of the partitions, waiting for the file `go`; killed at the end."""
    running = []
    try:
        for number in range(count):
            directory = shared / str(number)
            directory.mkdir()
            options = {**task.options, "worker": str(number)}
            own = replace(task, directory=str(directory), options=options)
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "bench.kafka_worker", own.as_line()],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd=ROOT,
                    env=environ(),
                )
            )
        _wait_assigned(shared, running)
        yield running
    finally:
        for worker in running:
            worker.kill()
            worker.communicate()


def _wait_assigned(shared: Path, running: Sequence[subprocess.Popen[str]]) -> None:
    """Until each has its share. Raises `RuntimeError` when one ended or it takes too long."""
    deadline = time.monotonic() + ASSIGNED_PATIENCE_S
    wanted = str(PARTITIONS // len(running))
    while time.monotonic() < deadline:
        if any(worker.poll() is not None for worker in running):
            raise RuntimeError("a worker ended before it was assigned its partitions")
        files = [shared / f"{number}.assigned" for number in range(len(running))]
        if all(file.exists() and file.read_text() == wanted for file in files):
            return
        time.sleep(_LOOK_S)
    raise RuntimeError(f"the workers were not assigned their partitions within {ASSIGNED_PATIENCE_S:.0f} s")


def _told(worker: subprocess.Popen[str]) -> list[tuple[float, int, int, int]]:
    said, _ = worker.communicate(timeout=PATIENCE_S)
    for line in reversed(said.splitlines()):
        if line.startswith("{"):
            batches: list[tuple[float, int, int, int]] = json.loads(line)["batches"]
            return batches
    raise RuntimeError(f"a worker ended with {worker.returncode} and told nothing")
