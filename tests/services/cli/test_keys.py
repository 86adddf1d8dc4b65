"""`ccr keys issue` makes no key that no service would know."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.cli.local import write_local_keys
from services.cli.main import run

ISSUE = ["keys", "issue", "--agency", "jail"]


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CCR_DATA", "CCR_STORE"):
        monkeypatch.delenv(name, raising=False)


def test_no_directory_is_made_by_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ISSUE) == 1
    told = capsys.readouterr().err
    assert "--store ADDRESS" in told
    assert "--data ccr-data" in told
    monkeypatch.setenv("CCR_DATA", "elsewhere")
    assert run(ISSUE) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_portals_directory_holds_no_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "here").mkdir()
    write_local_keys(tmp_path / "here", {"jail": "ccr_0000000000000001_jail"})
    assert run([*ISSUE, "--data", "here"]) == 1
    assert "say --store" in capsys.readouterr().err


def test_it_is_told_for_whom_a_key_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ISSUE, "--data", "ccr-data"]) == 0
    assert "for ccr up --data ccr-data" in capsys.readouterr().err
    assert run(ISSUE) == 0  # the directory is one of a service by now
    capsys.readouterr()
    assert run([*ISSUE, "--store", "sqlite:///store.sqlite"]) == 0
    assert "for every ccr worker on that store" in capsys.readouterr().err
