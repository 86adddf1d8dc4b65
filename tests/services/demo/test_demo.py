"""The demo from end to end, on the real backbone over real HTTP, and how the command ends."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from ccr_events.policy import load_policies
from services.cli.main import run
from services.demo import run as the_run
from services.demo.acts import acts, ends_at
from services.demo.figures import Figures
from services.demo.listener import Heard
from services.demo.run import Ear, Wish, performed
from services.demo.scenario import Report, load_week
from tests.support.core_week import CoreWeek

FIRST_KEYS = [
    "events",
    "links_opened",
    "links_satisfied",
    "links_overdue",
    "links_escalated",
    "alerts_delivered",
    "p50_ms",
    "p99_ms",
    "lost",
]


@dataclass
class Ran:
    figures: Figures
    page: str
    shown: str
    written: bytes


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """One whole run, played as fast as it goes."""
    data = tmp_path_factory.mktemp("demo")
    shown = Console(file=io.StringIO(), width=200)

    async def once() -> tuple[Figures, str]:
        async with performed(Wish(seconds=1, seed=1, port=0, data=data, page=True), shown) as stage:
            return stage.figures, stage.page

    figures, page = asyncio.run(once())
    written = b"".join(file.read_bytes() for file in sorted(data.rglob("*")) if file.is_file())
    return Ran(figures, page, shown.file.getvalue(), written)  # type: ignore[attr-defined]


def test_nothing_is_lost_and_the_log_replays_to_the_same_state(ran: Ran) -> None:
    assert ran.figures.lost == 0
    assert ran.figures.replay_identical
    assert ran.figures.sound


def test_the_backbone_decides_what_the_core_alone_decides(ran: Ran) -> None:
    week = load_week()
    core = CoreWeek(load_policies(), week.county.zone).play(acts(week, 1), ends_at(week))
    told = {kind.removeprefix("link."): n for kind, n in ran.figures.kinds.items() if kind != "link.notified"}
    assert told == dict(core.kinds())


def test_late_repeated_refused_and_split_reports_are_dealt_with(ran: Ran) -> None:
    f = ran.figures
    assert (f.quarantined, f.redriven, f.duplicates, f.merged, f.documents) == (1, 1, 2, 1, 11)
    assert f.cases == 16  # fifteen histories, one of which began as two cases


def test_alerts_are_timed_from_the_request_and_advocates_hear_only_some(ran: Ran) -> None:
    f = ran.figures
    assert len(f.latencies_s) > 300
    assert min(f.latencies_s) > 0
    assert 0 < f.percentile_ms(50) <= f.percentile_ms(99)
    assert 0 < f.to_advocates < f.kinds.total()


def test_nothing_confidential_is_shown_or_stored_in_clear(ran: Ran) -> None:
    planted = [
        text
        for history in load_week().histories
        for person in (history.suspect, history.victim)
        if person is not None
        for text in (person.surname, person.address, person.phone)
        if text is not None
    ]
    planted += [
        text
        for history in load_week().histories
        for entry in history.entries
        if isinstance(entry, Report)
        for name in ("address", "callback", "safe_contact")
        if (text := entry.data.get(name)) is not None
    ]
    assert len(planted) > 60
    for text in planted:
        assert text not in ran.shown
        assert text.encode() not in ran.written


def test_without_a_terminal_escalations_are_told_as_lines(ran: Ran) -> None:
    assert "Tue 17:00 Jail · watch commander owes: tell the victim before the release — overdue, escalated" in ran.shown
    assert ran.page in ran.shown


def test_the_command_ends_with_one_json_line_and_fails_when_an_alert_was_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hear = Ear.__call__

    def deaf(self: Ear, heard: Heard) -> None:
        if heard.seq != 5:
            hear(self, heard)

    monkeypatch.setattr(the_run.Ear, "__call__", deaf)
    assert run(["demo", "--seconds", "1", "--json", "--no-page"]) == 1
    told = capsys.readouterr()
    [line] = told.out.splitlines()
    assert list(json.loads(line))[:9] == FIRST_KEYS
    assert json.loads(line)["lost"] == 1
    assert "#key=" not in told.err


def test_a_directory_that_is_not_empty_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "something").write_text("here")
    assert run(["demo", "--data", str(tmp_path)]) == 1
    assert "not an empty directory" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--seconds", "0"], ["--port", "70000"], ["--seed", "-1"], ["--unknown"]])
def test_wrong_usage_is_exit_status_2(wrong: list[str]) -> None:
    assert run(["demo", *wrong]) == 2


def demo_process(*options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from services.cli.main import main; main()", "demo", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stopped_after(process: subprocess.Popen[str], words: str, number: int) -> tuple[int, str]:
    """Send the signal once a line holds the words; the exit status and what standard error says."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            process.send_signal(number)
            break
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors


def test_stopped_before_its_end_it_says_so(tmp_path: Path) -> None:
    with demo_process("--seconds", "600", "--data", str(tmp_path / "d")) as process:
        status, errors = stopped_after(process, "Placeholder County", signal.SIGTERM)
    assert status == 130
    assert errors == "ccr: stopped before the end of the week\n"


def test_kept_open_it_ends_well_when_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = asyncio.Event()

    @asynccontextmanager
    async def stop_asked() -> AsyncIterator[asyncio.Event]:
        yield asked

    def summarised(console: Console, figures: Figures) -> None:
        asyncio.get_running_loop().call_soon(asked.set)

    monkeypatch.setattr("services.cli.demo.stop_asked", stop_asked)
    monkeypatch.setattr("services.demo.summary.summarise", summarised)
    assert run(["demo", "--seconds", "1", "--keep-open"]) == 0
    assert asked.is_set()
    assert "Stop with Ctrl-C" in capsys.readouterr().out
