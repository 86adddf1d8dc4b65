"""`ccr kafka`, called as a person calls it."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from services.cli.main import run
from tests.support.kafka import need_kafka


def test_status_of_nothing_says_how_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "status", "--data", str(tmp_path / "none")]) == 1
    assert "ccr kafka up" in capsys.readouterr().out


def test_down_of_nothing_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "down", "--data", str(tmp_path / "none"), "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["stopped"] is False


def test_logs_of_nothing_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "logs", "--data", str(tmp_path), "--node", "2"]) == 1
    assert "there is no broker 2" in capsys.readouterr().err


def test_two_brokers_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "up", "--data", str(tmp_path), "--brokers", "2"]) == 1
    assert "one or three brokers, not 2" in capsys.readouterr().err


@pytest.mark.kafka
def test_up_status_logs_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_kafka()
    data = ["--data", str(tmp_path / "cluster")]
    try:
        assert run(["kafka", "up", *data, "--heap", "256", "--json"]) == 0
        started = orjson.loads(capsys.readouterr().out.splitlines()[-1])
        assert run(["kafka", "status", *data, "--json"]) == 0
        (node,) = orjson.loads(capsys.readouterr().out.splitlines()[-1])["nodes"]
        assert node["answers"]
        assert started["bootstrap"] == f"127.0.0.1:{node['port']}"
        assert run(["kafka", "logs", *data, "--lines", "5"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 5
        _topics_are_planned_applied_and_checked(data, capsys)
    finally:
        assert run(["kafka", "down", *data]) == 0
    assert "stopped" in capsys.readouterr().out
    assert run(["kafka", "status", *data]) == 1
    assert "gone" in capsys.readouterr().out


def _topics_are_planned_applied_and_checked(data: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "topics", "check", *data]) == 1
    assert "ccr.events" in capsys.readouterr().out
    assert run(["kafka", "topics", "apply", *data, "--partitions", "3", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["applied"] > 3
    assert run(["kafka", "topics", "check", *data]) == 0
    assert "as it has to be" in capsys.readouterr().out
    assert run(["kafka", "topics", "apply", *data, "--partitions", "6"]) == 1
    assert "another partition than its history" in capsys.readouterr().out
    assert run(["kafka", "topics", "plan", *data, "--partitions", "6", "--json"]) == 0
    assert len(orjson.loads(capsys.readouterr().out)["differences"]) == 3
    assert run(["kafka", "topics", "repartition", *data, "--partitions", "3"]) == 1
    assert "only be added: there are 3" in capsys.readouterr().err
    assert run(["kafka", "topics", "repartition", *data, "--partitions", "6", "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)["after"] == {"partitions": 6, "copies": 1, "generation": 2}
    assert run(["kafka", "topics", "check", *data]) == 0
    capsys.readouterr()


def test_topics_of_no_cluster_say_how_to_start_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kafka", "topics", "plan", "--data", str(tmp_path)]) == 1
    assert "start one with ccr kafka up" in capsys.readouterr().err
