"""`ccr replay` and `ccr indicators`: compared, repaired, and shown as it stood."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.casebook.replay_crew import WORTH_A_PROCESS, processes_for
from services.cli.main import run
from tests.support.doors import T0
from tests.support.portals import PLANTED, STREET
from tests.support.small_log import fill


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("made"))


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    with sqlite3.connect(made / "backbone.sqlite") as source, sqlite3.connect(tmp_path / "backbone.sqlite") as copy:
        source.backup(copy)
    (tmp_path / "backbone.commits").write_bytes((made / "backbone.commits").read_bytes())
    return tmp_path


def spoil(data: Path, *statements: str) -> None:
    connection = sqlite3.connect(data / "backbone.sqlite", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> Any:
    assert run([*arguments, "--json"]) == status, capsys.readouterr().err
    return orjson.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_sound_directory_is_identical(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--verify"], []):
        found = said(capsys, "replay", *arguments, "--data", str(made))
        assert found["identical"]
        assert found["repaired"] == 0


def test_verify_says_what_differs_and_replay_repairs_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(data, "DELETE FROM facts", "DELETE FROM links")
    found = said(capsys, "replay", "--verify", "--data", str(data), status=1)
    assert not found["identical"]
    assert run(["replay", "--verify", "--data", str(data)]) == 1
    assert "ccr replay" in capsys.readouterr().err
    repaired = said(capsys, "replay", "--data", str(data))
    assert (repaired["identical"], repaired["repaired"]) == (True, 1)
    assert len(repaired["repaired_cases"]) == 1
    assert said(capsys, "replay", "--verify", "--data", str(data))["identical"]


def test_what_cannot_be_repaired_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(data, "DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)", "UPDATE links SET agency = 'jail'")
    assert run(["replay", "--data", str(data)]) == 1
    told = capsys.readouterr()
    assert "repaired 1 cases" in told.out
    assert "newest backup" in told.err


def test_a_case_as_it_stood_shows_what_was_recorded_by_then(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = (T0 + timedelta(minutes=5)).isoformat()
    then = said(capsys, "replay", "--as-of", first, "--case", "26-0101", "--data", str(made))
    now = said(capsys, "replay", "--as-of", "now", "--case", then["case_id"][:8], "--data", str(made))
    assert [event["type"] for event in then["timeline"]] == ["arrest.made"]
    assert then["recorded_later"] > 0
    assert {link["rule"] for link in then["links"]} < {link["rule"] for link in now["links"]}
    assert "incident.reported" in {event["type"] for event in now["timeline"]}


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_nothing_sealed_is_shown(made: Path, form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--as-of", "now", "--case", "26-0101", "--data", str(made), *form]) == 0
    told = capsys.readouterr().out
    assert "arrest.made" in told
    assert PLANTED not in told
    assert STREET not in told
    assert "sealed" not in told


def test_indicators_as_they_stood(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    when = (T0 + timedelta(minutes=5)).isoformat()
    asked = ["--smallest-cell", "1", "--data", str(made)]
    then = said(capsys, "replay", "--as-of", when, "--indicators", "arrest_rate", "risk_screened", *asked)
    assert [row["key"] for row in then["indicators"]] == ["arrest_rate", "risk_screened"]
    assert (then["indicators"][0]["count"], then["indicators"][0]["of"]) == (1, 1)
    now = said(capsys, "indicators", "acknowledged_on_time", *asked)
    assert {row["agency"] for row in now["indicators"]} >= {"le", "adv"}
    none = said(capsys, "indicators", "arrest_rate", "--from", "2031-01-01", *asked)
    assert none["indicators"][0]["of"] == 0


def test_small_numbers_are_hidden_unless_asked_for(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["indicators", "arrest_rate", "--data", str(made)]) == 0
    assert "of <6" in capsys.readouterr().out
    assert run(["indicators", "arrest_rate", "--smallest-cell", "2", "--data", str(made)]) == 0
    assert "Do not pass this on" in capsys.readouterr().err


def test_explain_reads_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, "indicators", "dual_arrest_rate", "--explain", "--data", "nowhere")
    assert found["indicators"][0]["of"] == "incidents with an arrest"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["replay", "--case", "26-0101"], "--as-of"),
        (["replay", "--as-of", "now"], "one thing"),
        (["replay", "--as-of", "now", "--case", "1234", "--indicators"], "one thing"),
        (["replay", "--as-of", "now", "--case", "zzzz"], "no case"),
        (["replay", "--as-of", "now", "--case", "z"], "at least 4"),
        (["replay", "--as-of", "2999-01-01", "--case", "26-0101"], "has not come yet"),
        (["replay", "--as-of", "2999-01-01", "--indicators"], "has not come yet"),
        (["replay", "--as-of", "03/04/2026", "--case", "26-0101"], "no time"),
        (["replay", "--as-of", "1999-01-01", "--case", "26-0101"], "nothing of case"),
        (["indicators", "arest_rate"], "did you mean arrest_rate"),
        (["indicators", "--from", "2026-02-01", "--to", "2026-01-01"], "before"),
    ],
)
def test_what_makes_no_sense_is_refused(
    made: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--data", str(made)]) == 1
    assert told in capsys.readouterr().err


def test_processes_are_started_only_for_a_log_that_is_worth_it() -> None:
    assert processes_for(WORTH_A_PROCESS - 1) == 1
    assert processes_for(WORTH_A_PROCESS) >= 1
