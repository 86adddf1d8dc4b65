"""Whole backbones under faults, by seed; `make simulate` runs many more."""

from __future__ import annotations

import json

import pytest

from tests.simulation.__main__ import main
from tests.simulation.plan import CALM
from tests.simulation.seed import simulated


@pytest.mark.parametrize("seed", range(8))
def test_no_law_is_broken(seed: int) -> None:
    outcome = simulated(seed)
    assert outcome.violations == (), "\n".join(outcome.newest)
    assert outcome.years > 0


def test_the_same_seed_does_the_same_again() -> None:
    first = simulated(46)
    assert first.faults
    simulated(2)  # nothing of another run stays behind
    assert simulated(46) == first


def test_another_seed_does_something_else() -> None:
    assert simulated(1).digest != simulated(2).digest


def test_a_calm_run_has_no_fault() -> None:
    outcome = simulated(1, plan=CALM)
    assert (outcome.faults, outcome.violations, outcome.starts) == ({}, (), 1)
    assert outcome.events > 0
    assert outcome.alerts > 0


def test_what_is_printed_counts_seeds_years_faults_and_violated_laws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--jobs", "1"]) == 0
    printed = capsys.readouterr().out
    assert "2 seeds" in printed
    assert "simulated years" in printed
    assert "violated laws: 0" in printed
    assert main(["--seeds", "2", "--jobs", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["seeds"], told["violations"]) == (2, 0)
    assert sum(told["faults"].values()) > 0
