"""Options of workers that reach what they set, and refuse what Kafka would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli import worker, worker_casebook, worker_monitor
from services.engine.kafka.apps.settings import SESSION_TIMEOUT_S


def run(directory: Path, name: str, *arguments: str) -> Any:
    app = typer.Typer()
    worker.register(app)
    store = ["--store", f"sqlite:///{directory}/store.sqlite"] if name == "monitor" else []
    return CliRunner().invoke(
        app, ["worker", name, "--bootstrap", "kafka:9092", "--data", str(directory), *store, *arguments]
    )


@pytest.mark.parametrize("name", ["casebook", "monitor"])
@pytest.mark.parametrize(("asked", "expected"), [([], SESSION_TIMEOUT_S), (["--session-timeout", "25"], 25)])
def test_how_long_a_worker_may_be_silent_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, asked: list[str], expected: float
) -> None:
    ran: list[Any] = []
    for module in (worker_casebook, worker_monitor):
        monkeypatch.setattr(module, "_run", lambda setup, **_: ran.append(setup))
    result = run(tmp_path, name, *asked)
    assert result.exit_code == 0, result.output
    assert [setup.app.session_timeout_s for setup in ran] == [expected]


@pytest.mark.parametrize("name", ["casebook", "monitor"])
@pytest.mark.parametrize("asked", ["5", "61"])
def test_what_kafka_would_refuse_is_refused_before_it_starts(tmp_path: Path, name: str, asked: str) -> None:
    assert run(tmp_path, name, "--session-timeout", asked).exit_code == 2
