"""Whose history a command looks at: the data of `ccr up`, or the store of `ccr worker`."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from services.cli.main import run
from services.engine.sql.store import open_store
from tests.support.small_log import fill


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("made"))


@pytest.fixture
async def empty(tmp_path: Path) -> str:
    address = f"sqlite:///{tmp_path / 'store.sqlite'}"
    async with open_store(address):
        return address


def calls(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["indicators", "overdue", "--smallest-cell", "1", "--json", *arguments]) == 0
    return str(orjson.loads(capsys.readouterr().out.splitlines()[-1])["indicators"])


def test_the_store_in_place_of_the_data(data: Path, empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    held = calls(capsys, "--data", str(data))
    assert held != (nothing := calls(capsys, "--data", str(data), "--store", empty))
    assert nothing == calls(capsys, "--store", empty)


def test_who_says_data_means_it(
    data: Path, empty: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = calls(capsys, "--data", str(data))
    monkeypatch.setenv("CCR_STORE", empty)
    assert calls(capsys, "--data", str(data)) == held
    monkeypatch.setenv("CCR_DATA", str(data))
    assert calls(capsys) != held


@pytest.mark.parametrize(
    "command",
    [["indicators"], ["replay", "--as-of", "now", "--case", "26-0101"], ["replay", "--as-of", "now", "--indicators"]],
)
def test_a_mistyped_store_is_not_made(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "stoer.sqlite"
    assert run([*command, "--store", f"sqlite:///{missing}"]) == 1
    assert "no store here" in capsys.readouterr().err
    assert not missing.exists()


def test_a_directory_without_a_log_is_told_where_to_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "--verify", "--data", str(tmp_path)]) == 1
    assert "--store" in capsys.readouterr().err
