"""`ccr kafka`, called as a person calls it."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from services.cli.main import run
from services.engine.kafka.broker import running
from services.engine.kafka.broker.layout import Cluster
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


def test_up_without_a_number_goes_on_with_as_many_brokers_as_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def as_it_is(_: object, cluster: Cluster) -> Cluster:
        return cluster

    async def answers(cluster: Cluster) -> Cluster:
        return cluster

    for name, stood_in in (("java", Path), ("class_path", str), ("_launched", as_it_is), ("_ready", answers)):
        monkeypatch.setattr(running, name, stood_in)
    data = ["kafka", "up", "--data", str(tmp_path), "--json"]
    for given, brokers in ((["--brokers", "3"], 3), ([], 3)):
        assert run([*data, *given]) == 0
        assert len(orjson.loads(capsys.readouterr().out)["bootstrap"].split(",")) == brokers
    assert run([*data, "--brokers", "1"]) == 1
    assert "holds a cluster of 3 broker(s), not 1" in capsys.readouterr().err
    assert run(["kafka", "up", "--data", str(tmp_path / "new"), "--json"]) == 0
    assert len(orjson.loads(capsys.readouterr().out)["bootstrap"].split(",")) == 1


@pytest.mark.parametrize("worker", ["casebook", "monitor", "portal", "alerts", "intake"])
def test_help_of_a_worker_names_the_option_of_the_cluster_beside_it(
    worker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["worker", worker, "--help"]) == 0
    words = " ".join(re.sub(r"[^\w.-]", " ", capsys.readouterr().out).split())
    assert "that of ccr kafka up in --kafka-data" in words
    assert run(["kafka", "topics", "plan", "--help"]) == 0
    assert "--kafka-data" not in capsys.readouterr().out


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
