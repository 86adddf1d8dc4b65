"""What is made of rounds, also of those that failed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from bench.kafka_peers import KEYS, PEERS, WAYS, Way
from bench.kafka_report import compared, figures_of
from bench.kafka_rounds import Measured, last_line


def way(name: str) -> Way:
    return Way(name, lambda: [], "")


def told(rate: float) -> dict[str, float]:
    return {"events": rate, "s": 1.0, "cpu_s": rate * 1e-6}


def measured(name: str, *rates: float | None) -> Measured:
    by_round: list[Mapping[str, Any] | None] = [None if rate is None else told(rate) for rate in rates]
    return Measured(way(name), 100, by_round, "it broke" if None in rates else None)


def test_ratios_are_taken_within_a_round_that_both_ended() -> None:
    ours, quix = measured("ours", 100, 10, 90), measured("quix", 50, None, 30)
    assert ours.times_as_quick_as(quix) == [2, 3]
    (figure,) = figures_of([ours, quix])
    assert (figure.value, figure.goal, figure.reached) == (2.5, 1.5, True)


def test_a_way_that_never_ended_has_no_rate_and_says_why() -> None:
    ours, failed = measured("ours", 100.0), measured("bytewax", None)
    assert figures_of([ours, failed]) == []
    row = compared(failed, [ours, failed])
    assert (row["events_per_s"], row["ours_is_times"], row["rounds_ended"]) == (None, None, 0)
    assert row["failed"] == "it broke"


def test_every_key_of_the_line_is_a_way_and_every_peer_has_locked_requirements() -> None:
    assert set(KEYS) <= {each.name for each in WAYS}
    for requirements in PEERS.glob("*/requirements.in"):
        locked = (requirements.parent / "requirements.txt").read_text()
        assert locked.count("--hash=sha256:") >= locked.count("==")
        assert "://" not in locked


def test_the_last_line_of_a_process_is_read_and_a_failure_is_told() -> None:
    assert last_line("x", [sys.executable, "-c", "print('{\"s\": 1}'); print('{\"s\": 2}'); print('bye')"]) == {"s": 2}
    with pytest.raises(RuntimeError, match="x ended with 3:\nit broke"):
        last_line("x", [sys.executable, "-c", "import sys; sys.stderr.write('it broke'); sys.exit(3)"])
    with pytest.raises(RuntimeError, match="x ended with 0"):
        last_line("x", [sys.executable, "-c", ""])
