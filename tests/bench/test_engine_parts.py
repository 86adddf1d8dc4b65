"""The figures of the engine measure what they say: run at sizes that take a moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import engine, faults, growth
from bench.figure import Asked


def asked(tmp_path: Path, events: int = 300) -> Asked:
    return Asked(events=events, requests=1, data=tmp_path, full=False)


def test_every_event_of_a_stretch_is_on_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ALONE", 200)
    monkeypatch.setattr(engine, "ONE_BY_ONE", 20)
    monkeypatch.setattr(engine, "AT_ONCE", 200)
    figures = engine.measure(asked(tmp_path))
    assert [f.goal for f in figures].count(engine.BATCH_GOAL) == 1
    assert [f.extra["log holds"] for f in figures] == [300, 320, 520, 720, 200]
    assert all(f.value > 0 for f in figures)
    assert list(tmp_path.iterdir()) == []


def test_growth_compares_both_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TURNS": 1, "CASE_TURNS": 1, "IDLE_S": 0.01, "TICKS": 2}.items():
        monkeypatch.setattr(growth, name, value)
    monkeypatch.setattr(growth, "SMALL", growth.Sizes((50, 150), (10, 40), 400, 50))
    figures = growth.measure(asked(tmp_path))
    assert [f.unit for f in figures] == ["times", "times", "ms", "times"]
    assert all(f.value > 0 for f in figures if f.unit == "times")
    assert all(f.lower_is_better for f in figures)


def test_a_killed_process_is_compared_with_what_it_had_acknowledged(tmp_path: Path) -> None:
    figures = faults.killed(tmp_path, kills=1, seed=1)
    assert [f.value for f in figures] == [0, 0, 0]
    assert figures[0].extra["acknowledged"] > 0  # type: ignore[operator]


def test_a_loss_would_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    life = faults._life_and_death
    monkeypatch.setattr(faults, "_life_and_death", lambda *of_it: life(*of_it) | {"acknowledged and gone"})
    lost, doubled, different = faults.killed(tmp_path, kills=1, seed=2)
    assert (lost.value, doubled.value, different.value) == (1, 0, 0)
    assert lost.reached is False
