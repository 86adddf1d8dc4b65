"""`python -m tests.simulation --seeds 1000`: many seeds side by side; a seed that breaks a law is printed.

`--seed S` runs one seed and prints all that happens in it. Exit code 1 when a law was broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.seed import Outcome, policies, simulated

HASH_SEED = "0"
"""Python's own randomness of hashes is set, so that a run is the same in every process."""
MAX_SEEDS = 1_000_000
SHOWN = 5
"""Failing seeds whose end is printed; the others are named."""


@dataclass(slots=True)
class Totals:
    """Of all seeds."""

    seeds: int = 0
    years: float = 0.0
    events: int = 0
    alerts: int = 0
    starts: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: int = 0
    failed: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.seeds += 1
        self.years += outcome.years
        self.events += outcome.events
        self.alerts += outcome.alerts
        self.starts += outcome.starts
        self.faults.update(outcome.faults)
        self.violations += len(outcome.violations)
        if outcome.violations:
            self.failed.append(outcome.seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked; returns the exit code."""
    asked = _parser().parse_args(arguments)
    console = Console(stderr=True)
    if asked.seed is not None:
        outcome = simulated(asked.seed, said=lambda line: print(line))
        _print_broken(outcome, Console())
        print(
            f"seed {outcome.seed}: {outcome.events:,} events, {len(outcome.violations)} violated laws, trace digest "
            f"{outcome.digest}"
        )
        return 1 if outcome.violations else 0
    totals = Totals()
    started_s = perf_counter()
    with _progress(console) as progress:
        task = progress.add_task("seeds", total=asked.seeds)
        for outcome in _outcomes(range(asked.first, asked.first + asked.seeds), asked.jobs):
            totals.add(outcome)
            if outcome.violations and len(totals.failed) <= SHOWN:
                _print_broken(outcome, console)
            progress.advance(task)
    totals.seconds = perf_counter() - started_s
    if asked.json:
        # `asdict` counts the pairs of a Counter.
        print(json.dumps(asdict(totals) | {"faults": dict(totals.faults)}))
    else:
        _print_totals(totals)
    return 1 if totals.failed else 0


def _outcomes(seeds: Iterable[int], jobs: int) -> Iterable[Outcome]:
    if jobs == 1:
        yield from map(simulated, seeds)
        return
    with ProcessPoolExecutor(jobs, initializer=policies) as pool:
        yield from pool.map(simulated, seeds, chunksize=4)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def _print_broken(outcome: Outcome, console: Console) -> None:
    if not outcome.violations:
        return
    console.print(f"[bold red]seed {outcome.seed} broke {len(outcome.violations)} law(s)[/]", highlight=False)
    for violation in outcome.violations[:SHOWN]:
        console.print(f"  {violation}", markup=False, highlight=False, soft_wrap=True)
    console.print(f"  reproduce it: make simulate SEED={outcome.seed}", highlight=False)


def _print_totals(totals: Totals) -> None:
    print(
        f"{totals.seeds:,} seeds, {totals.years:,.1f} simulated years, {totals.events:,} events on the log, "
        f"{totals.alerts:,} alerts heard, {totals.starts:,} starts"
    )
    print(
        f"{totals.faults.total():,} faults: " + ", ".join(f"{n:,} {kind}" for kind, n in sorted(totals.faults.items()))
    )
    print(f"violated laws: {totals.violations:,}, in {totals.seconds:,.1f} s")
    for seed in totals.failed:
        print(f"make simulate SEED={seed}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_count, default=100, help="how many seeds (100)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--jobs", type=_count, default=os.cpu_count() or 1, help="processes side by side")
    parser.add_argument("--seed", type=int, help="only this seed, with all that happens in it")
    parser.add_argument("--json", action="store_true", help="the totals as one line of JSON")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_SEEDS:
        raise argparse.ArgumentTypeError(f"must be between 1 and {MAX_SEEDS:,}")
    return number


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    sys.exit(main())
