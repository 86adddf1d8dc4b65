"""What `ccr worker portal`, `intake` and `alerts` say when they are not given what they need."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

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


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        yield somebody.getsockname()[1]


def options_of(worker: str, place: Path) -> list[str]:
    beside = {"alerts": ["--port", "8799"], "casebook": ["--data", str(place)], "monitor": ["--data", str(place)]}
    store = [] if worker == "casebook" else ["--store", f"sqlite:///{place / 'store.sqlite'}"]
    return ["worker", worker, "--bootstrap", "127.0.0.1:1", *beside[worker], *store]


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("worker", ["casebook", "monitor"])
def test_a_port_of_figures_that_is_taken_is_told_with_the_option_to_choose_another(
    worker: str, processes: str, taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--web-port", str(taken), "--concurrency", processes]
    assert run([*options_of(worker, tmp_path), *chosen]) == 1
    assert f"port {taken} (Address already in use): choose another with --host or --web-port" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("worker", "port", "processes"),
    [("casebook", 8710, "1"), ("casebook", 8711, "2"), ("monitor", 8730, "1"), ("alerts", 8741, "2")],
)
def test_figures_have_a_port_also_when_none_is_named(
    worker: str, port: int, processes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ExitStack() as held:
        with suppress(OSError):  # somebody else has it
            held.enter_context(socket.create_server(("127.0.0.1", port)))
        assert run([*options_of(worker, tmp_path), "--concurrency", processes]) == 1
        assert f"port {port} (Address already in use)" in capsys.readouterr().err


@pytest.mark.parametrize("worker", ["casebook", "monitor"])
def test_figures_may_be_nowhere(worker: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*options_of(worker, tmp_path), "--web-port", "0"]) == 1
    assert "Kafka at 127.0.0.1:1" in capsys.readouterr().err


def test_several_processes_cannot_share_any_free_port(capsys: pytest.CaptureFixture[str]) -> None:
    store = ["--store", "sqlite:///none.sqlite", "--port", "0", "--concurrency", "2"]
    assert run(["worker", "alerts", "--bootstrap", "127.0.0.1:1", *store]) == 1
    assert "--port" in capsys.readouterr().err
