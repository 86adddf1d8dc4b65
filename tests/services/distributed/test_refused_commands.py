"""What `ccr worker portal`, `intake` and `alerts` say when they are not given what they need."""

from __future__ import annotations

import pytest

from services.cli.main import run


@pytest.mark.parametrize("worker", ["portal", "intake"])
def test_what_cannot_be_started_is_told_without_a_password(worker: str, capsys: pytest.CaptureFixture[str]) -> None:
    beside = ["--store", "postgresql://ccr:secret@db/ccr", "--keys", "postgresql://ccr:secret@db/ccr"]
    assert run(["worker", worker, "--bootstrap", "127.0.0.1:1", *beside]) == 1
    told = capsys.readouterr().err
    assert "--keys" in told
    assert "secret" not in told


@pytest.mark.parametrize("worker", ["portal", "intake", "alerts"])
def test_without_a_store_it_is_wrong_usage(worker: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", worker, "--bootstrap", "127.0.0.1:1"]) == 2
    assert "--store" in capsys.readouterr().err


def test_several_processes_cannot_share_any_free_port(capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", "sqlite:///none.sqlite", "--port", "0", "--concurrency", "2"]
    assert run(["worker", "alerts", "--bootstrap", "127.0.0.1:1", *store]) == 1
    assert "--port" in capsys.readouterr().err
