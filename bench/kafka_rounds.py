"""Interleaved rounds: each way as a fresh process on the same broker and events, one after the other, so often."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from bench.kafka_events import PARTITIONS, fill, newest, whole, wrong
from bench.kafka_peers import ROOT, Refused, Way
from bench.kafka_task import Task

WARM_PART = 10
"""One in so many events is folded before the watch starts."""
PATIENCE_S = 300
"""A run that takes longer has failed."""
TOLD_CHARACTERS = 2_000
"""So much of what a failed process said is shown."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One way in all rounds it ended."""

    way: Way
    events: int
    """Read in each round, warm-up included."""
    by_round: Sequence[Mapping[str, Any] | None]
    """What it told in each round; None where it failed."""
    failed: str | None = None
    """Why it could not be run at all, or what it said when it failed last."""

    @property
    def rates(self) -> list[float]:
        """Events a second behind the warm-up, of the rounds that it ended."""
        return [each["events"] / each["s"] for each in self.by_round if each]

    @property
    def cpu_us(self) -> list[float]:
        """Microseconds of the process's processor time an event, of the rounds that it ended."""
        return [each["cpu_s"] / each["events"] * 1e6 for each in self.by_round if each]

    @property
    def rate(self) -> float | None:
        """Median of events a second; None when it never ended."""
        return median(self.rates) if self.rates else None

    def times_as_quick_as(self, other: Measured) -> list[float]:
        """The ratio of rates, of each round that both ended."""
        both = zip(self.by_round, other.by_round, strict=True)
        return [mine["events"] / mine["s"] / (its["events"] / its["s"]) for mine, its in both if mine and its]


class Runner:
    """Runs ways on one broker."""

    def __init__(self, bootstrap: str, events: int, directory: Path, say: Callable[[str], None]) -> None:
        self.bootstrap, self.events, self.directory, self.say = bootstrap, whole(events), directory, say
        self._filled: set[int] = set()
        self._commands: dict[str, Sequence[str]] = {}

    def size(self, way: Way) -> int:
        """How many events a way reads."""
        return whole(self.events // way.part)

    def source(self, events: int) -> str:
        """A topic with exactly so many events, filled the first time."""
        topic = f"bench-events-{events}"
        if events not in self._filled:
            self.say(f"filling {topic}")
            asyncio.run(_create(self.bootstrap, topic))
            fill(self.bootstrap, topic, events)
            self._filled.add(events)
        return topic

    def prepared(self, way: Way) -> None:
        """Make its environment and events. Raises `Refused`."""
        self.say(f"preparing {way.name}")
        self._commands[way.name] = way.command()
        self.source(self.size(way))

    def run(self, way: Way, **options: str) -> dict[str, Any]:
        """One run; what its process told. Raises `RuntimeError` when it failed or its views are wrong."""
        events, name = self.size(way), f"bench-{way.name.replace('_', '-')}-{uuid4().hex[:8]}"
        with self.target(name) as target, TemporaryDirectory(prefix=f"{name}-", dir=self.directory) as directory:
            task = Task(
                self.bootstrap,
                self.source(events),
                target,
                events,
                max(1, events // WARM_PART),
                name,
                directory,
                {**way.options, **options},
            )
            told = last_line(way.name, [*self._commands[way.name], task.as_line()])
            changelog = told.get("changelog")
            if changelog and (fault := wrong(newest(self.bootstrap, changelog), events)):
                raise RuntimeError(f"{way.name} wrote {fault}")
            return told

    @contextmanager
    def target(self, name: str) -> Iterator[str]:
        """A compacted topic for views; it and all that a tool made under this name are deleted afterwards."""
        target = f"{name}-views"
        asyncio.run(_create(self.bootstrap, target, {"cleanup.policy": "compact"}))
        try:
            yield target
        finally:
            asyncio.run(_delete(self.bootstrap, name))


def rounds(runner: Runner, ways: Sequence[Way], count: int) -> list[Measured]:
    """Run all ways so many times in turn; each round begins with another one."""
    failed: dict[str, str] = {}
    for way in ways:
        try:
            runner.prepared(way)
        except Refused as reason:
            failed[way.name] = str(reason)
            runner.say(f"{way.name} is left out: {reason}")
    able = [way for way in ways if way.name not in failed]
    told: dict[str, list[Mapping[str, Any] | None]] = {way.name: [] for way in ways}
    for number in range(count):
        turn = number % max(1, len(able))
        for way in able[turn:] + able[:turn]:
            try:
                found = runner.run(way)
                runner.say(f"round {number + 1}: {way.name} {found['events'] / found['s']:,.0f} events/s")
                told[way.name].append(found)
            except (RuntimeError, subprocess.TimeoutExpired) as reason:
                failed[way.name] = str(reason)[-TOLD_CHARACTERS:]
                runner.say(f"round {number + 1}: {way.name} failed: {failed[way.name]}")
                told[way.name].append(None)
    return [Measured(way, runner.size(way), told[way.name], failed.get(way.name)) for way in ways]


def last_line(name: str, command: Sequence[str]) -> dict[str, Any]:
    """Run a process to its end; its last line of JSON. Raises `RuntimeError`."""
    ran = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        cwd=ROOT,
        env=environ(),
    )
    lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if ran.returncode or not lines:
        said = (ran.stderr or ran.stdout)[-TOLD_CHARACTERS:]
        raise RuntimeError(f"{name} ended with {ran.returncode}:\n{said}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def environ() -> dict[str, str]:
    """Of a way's process: it finds `bench`, and nothing of this process's own environment."""
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


async def _create(bootstrap: str, topic: str, settings: Mapping[str, str] | None = None) -> None:
    from aiokafka.admin import NewTopic

    from services.engine.kafka.topics import cluster_admin

    async with cluster_admin(bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=dict(settings or {}))])


async def _delete(bootstrap: str, name: str) -> None:
    from services.engine.kafka.topics import cluster_admin

    async with cluster_admin(bootstrap) as admin:
        made = [topic for topic in await admin.list_topics() if name in topic]
        if made:
            await admin.delete_topics(made)
