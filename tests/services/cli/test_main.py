"""Exit statuses, and that every group keeps its word; a traceback is a defect."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import orjson
import pytest
import typer
from typer.main import get_command

from services.cli import main
from services.cli.main import GROUPS, run
from services.cli.refused import DEBUG, Refused, failed, words_of


@pytest.mark.parametrize("module", GROUPS)
def test_each_module_adds_the_commands_that_are_named_for_it(module: str) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    import_module(f"services.cli.{module}").register(app)
    assert set(get_command(app).commands) == set(GROUPS[module])  # type: ignore[attr-defined]


def commands() -> list[list[str]]:
    found: list[list[str]] = []
    for name, command in get_command(main.application()).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [[name]] if inner is None else [[name, one] for one in inner]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_help_of_every_command_teaches(command: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Usage: ccr" in shown


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["links", "--no-such-option"],
        ["links", "--limit", "0"],
        ["links", "--as", "nobody"],
        ["link"],
        ["waive", "3f2a91c0"],
        ["waive", "3f2a91c0", "--reason", "tired"],
        ["ack", "3f2a91c0", "--status", "she_talked_to_us"],
        ["open", "x", "--label", "EVERYTHING", "--purpose", "safety"],
        ["up", "--port", "99999"],
        ["keys", "issue"],
        ["quarantine"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err + told.out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    assert run(["version", "--json"]) == 0
    assert set(orjson.loads(capsys.readouterr().out.splitlines()[-1])) == {"ccr", "python"}


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    def register(app: typer.Typer) -> None:
        @app.command()
        def version() -> None:
            raise error

    monkeypatch.setattr("services.cli.status.register", register)
    return run(["version"])


def test_a_refusal_is_1_and_its_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(Refused("the moon is not in reach"), monkeypatch) == 1
    assert capsys.readouterr().err == "ccr: the moon is not in reach\n"


def test_an_interruption_is_130_and_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err.strip() == ""


def test_an_unexpected_error_leaves_a_report_without_its_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(DEBUG, raising=False)
    assert fail_with(KeyError("Testperson"), monkeypatch) == 1
    told = capsys.readouterr().err
    assert "Testperson" not in told
    assert "Traceback" not in told
    (report,) = tmp_path.glob("ccr-report-*.txt")
    assert str(report) in told
    assert report.stat().st_mode & 0o077 == 0
    written = report.read_text()
    assert "KeyError" in written
    assert "test_main.py" in written
    assert "Testperson" not in written


def test_debugging_shows_everything(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(DEBUG, "1")
    assert failed(KeyError("what")) == 1
    assert "KeyError: 'what'" in capsys.readouterr().err


def test_the_operating_system_is_quoted_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        (tmp_path / "gone").read_bytes()
    assert words_of(error.value) == f"{tmp_path / 'gone'}: No such file or directory"


def test_a_reader_that_goes_away_is_no_error() -> None:
    listed = [sys.executable, "-c", "from services.cli.main import main; main()", "schema", "list"]
    with subprocess.Popen(listed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
