"""Worker processes under one parent: started, started again when they end by themselves, replaced, stopped."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.engine.kafka.apps import fleet
from services.engine.kafka.apps.fleet import Fleet

PATIENCE_S = 30.0
ROOT = Path(__file__).parents[5]
WORKER = """
import fcntl, os, pathlib, signal, sys, time
from services.cli.stopping import stop_with_parent
stop_with_parent()
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
(directory / f"new-{number}").write_text(str(os.getpid()))
(directory / f"new-{number}").rename(directory / f"pid-{number}")
while (directory / "loads").exists():
    time.sleep(0.02)
print("prepared", flush=True)
if (directory / "waits-for-its-directory").exists():
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    note("waits")
    fcntl.flock((directory / "lock").open("w"), fcntl.LOCK_EX)
print("ready", flush=True)
while True:
    time.sleep(0.02)
"""
PARENT = """
import asyncio, sys
from services.engine.kafka.apps.fleet import Fleet
command = lambda number: [sys.executable, "-c", sys.argv[1], sys.argv[2], str(number)]
asyncio.run(Fleet(command, 2, print).run(asyncio.Event(), asyncio.Event()))
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

    def running_workers(self) -> int:
        """Those that have started and not said that they stopped."""
        log = self.log()
        return sum(line.startswith("started") for line in log) - sum(line.startswith("stopped") for line in log)

    def kill(self, number: int) -> None:
        """The worker that said last that it is this one."""
        os.kill(int((self.directory / f"pid-{number}").read_text()), signal.SIGKILL)

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


async def test_a_stop_while_a_successor_loads_reaches_it_too(tmp_path: Path) -> None:
    played = Played(tmp_path, 2)
    async with played.running():
        await played.until(lambda: len(played.log()) == 2)
        await asyncio.sleep(0.3)
        (tmp_path / "loads").touch()
        played.replacing.set()
        await played.until(lambda: played.log().count("started 0") == 2)
        await asyncio.sleep(0.2)
    assert played.running_workers() == 0
    assert played.fleet.ended_badly == 0


async def test_a_successor_that_is_stopped_while_it_waits_for_its_directory_has_not_ended_badly(
    tmp_path: Path,
) -> None:
    played = Played(tmp_path, 1)
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        async with played.running():
            await played.until(lambda: played.log() == ["started 0"])
            await asyncio.sleep(0.3)
            (tmp_path / "waits-for-its-directory").touch()
            played.replacing.set()
            await played.until(lambda: "waits 0" in played.log())
            await played.until(lambda: "stopped 0" in played.log())
    assert played.fleet.ended_badly == 0
    assert played.told == []


async def test_when_a_worker_dies_while_its_successor_loads_no_third_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "FIRST_PAUSE_S", 0.05)
    played = Played(tmp_path, 1)
    async with played.running():
        await played.until(lambda: (tmp_path / "pid-0").exists())
        await asyncio.sleep(0.3)
        first = (tmp_path / "pid-0").read_text()
        (tmp_path / "loads").touch()
        played.replacing.set()
        await played.until(lambda: played.log().count("started 0") == 2)
        os.kill(int(first), signal.SIGKILL)
        await asyncio.sleep(0.5)
        assert played.log().count("started 0") == 2
        (tmp_path / "loads").unlink()
        await played.until(lambda: "every worker was replaced" in played.told)
    assert played.log() == ["started 0", "started 0", "stopped 0"]
    assert played.fleet.ended_badly == 1


async def test_a_worker_that_waits_to_be_started_again_is_not_started_beside_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "FIRST_PAUSE_S", 0.5)
    played = Played(tmp_path, 1)
    async with played.running():
        await played.until(lambda: (tmp_path / "pid-0").exists())
        played.kill(0)
        await played.until(lambda: len(played.told) == 1)
        played.replacing.set()
        await played.until(lambda: "every worker was replaced" in played.told)
        await asyncio.sleep(1.0)
    assert played.log() == ["started 0", "started 0", "stopped 0"]


async def test_after_a_long_good_run_the_pause_is_short_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "FIRST_PAUSE_S", 0.8)
    monkeypatch.setattr(fleet, "GOOD_RUN_S", 0.2)
    played = Played(tmp_path, 1)
    async with played.running():
        for runs in (1, 2):
            await played.until(lambda runs=runs: played.log().count("started 0") == runs)  # type: ignore[misc]
            await asyncio.sleep(0.6)
            played.kill(0)
            await played.until(lambda runs=runs: len(played.told) == runs)  # type: ignore[misc]
    assert [words.rpartition("again in ")[2] for words in played.told] == ["1 s", "1 s"]


@pytest.mark.parametrize("while_it", ["works", "waits-for-its-directory"])
async def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path, while_it: str) -> None:
    played = Played(tmp_path, 2)
    (tmp_path / while_it).touch()
    with (tmp_path / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        parent = subprocess.Popen([sys.executable, "-c", PARENT, WORKER, str(tmp_path)], cwd=ROOT)
        try:
            await played.until(lambda: len(list(tmp_path.glob("pid-*"))) == 2)
            await asyncio.sleep(0.3)
        finally:
            parent.kill()
            parent.wait()
        pids = [int(path.read_text()) for path in tmp_path.glob("pid-*")]
        await played.until(lambda: not any(alive(pid) for pid in pids))
    if while_it == "works":
        assert sorted(played.log()[2:]) == ["stopped 0", "stopped 1"]


def alive(pid: int) -> bool:
    """Whether it runs; one that nobody has buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
