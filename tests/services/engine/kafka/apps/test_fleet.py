"""Worker processes under one parent: started, started again when they end by themselves, replaced, stopped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.engine.kafka.apps import fleet
from services.engine.kafka.apps.fleet import Fleet

PATIENCE_S = 30.0
WORKER = """
import signal, sys, pathlib
directory, number = pathlib.Path(sys.argv[1]), sys.argv[2]
def note(word):
    with (directory / "log").open("a") as log:
        log.write(f"{word} {number}\\n")
def stop(*_):
    note("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
once = directory / f"dies-{number}"
note("started")
if once.exists():
    once.unlink()
    sys.exit(7)
print("prepared", flush=True)
if (directory / "bad-successor").exists():
    sys.exit(8)
print("ready", flush=True)
while True:
    signal.pause()
"""


class Played:
    """A fleet of small workers that write down what happens to them."""

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.told: list[str] = []
        self.stopping, self.replacing = asyncio.Event(), asyncio.Event()
        self.fleet = Fleet(self._command, count, self.told.append)

    def _command(self, number: int) -> Sequence[str]:
        return [sys.executable, "-c", WORKER, str(self.directory), str(number)]

    def log(self) -> list[str]:
        path = self.directory / "log"
        return path.read_text().splitlines() if path.exists() else []

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.fleet.run(self.stopping, self.replacing))
        try:
            yield
        finally:
            self.stopping.set()
            await task


async def test_a_stop_reaches_every_worker_and_is_waited_for(tmp_path: Path) -> None:
    played = Played(tmp_path, 3)
    async with played.running():
        await played.until(lambda: len(played.log()) == 3)
        await asyncio.sleep(0.2)
    assert sorted(played.log()) == [f"{word} {n}" for word in ("started", "stopped") for n in range(3)]
    assert played.fleet.ended_badly == 0
    assert played.told == []


async def test_a_worker_that_ends_by_itself_is_told_of_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "FIRST_PAUSE_S", 0.05)
    (tmp_path / "dies-1").touch()
    played = Played(tmp_path, 2)
    async with played.running():
        await played.until(lambda: played.log().count("started 1") == 2)
        await asyncio.sleep(0.2)
    assert played.log().count("started 0") == 1
    assert [words for words in played.told if "worker 1 ended by itself (status 7)" in words]
    assert played.fleet.ended_badly == 1


async def test_workers_are_replaced_one_after_another_each_by_one_that_is_prepared(tmp_path: Path) -> None:
    played = Played(tmp_path, 2)
    async with played.running():
        await played.until(lambda: len(played.log()) == 2)
        await asyncio.sleep(0.3)
        played.replacing.set()
        await played.until(lambda: "every worker was replaced" in played.told)
    assert played.log()[2:6] == ["started 0", "stopped 0", "started 1", "stopped 1"]
    assert played.fleet.ended_badly == 0


async def test_when_a_successor_does_not_come_up_the_others_go_on(tmp_path: Path) -> None:
    played = Played(tmp_path, 2)
    async with played.running():
        await played.until(lambda: len(played.log()) == 2)
        await asyncio.sleep(0.3)
        (tmp_path / "dies-0").touch()
        played.replacing.set()
        await played.until(lambda: any("did not come up" in words for words in played.told))
        assert "stopped 0" not in played.log()
    assert played.log().count("stopped 0") == 1
