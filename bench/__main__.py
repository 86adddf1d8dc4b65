"""`python -m bench`: a table, and last a line of JSON. `make bench ARGS="--only core,engine --full"`."""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figure import Asked, Figure

PARTS = ("core", "engine", "http", "replay", "growth", "faults")
"""Modules of this package, each with a `measure`."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, help="length of the log that is filled (default 40000; full 200000)")
    parser.add_argument("--requests", type=int, help="events sent over HTTP (default 5000; full 30000)")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--full", action="store_true", help="the sizes that the goals name; takes long")
    parser.add_argument("--data", type=Path, help="an empty directory on the disk to measure (default: temporary)")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    given = parser.parse_args()
    wanted = given.only.split(",")
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    asked = Asked(
        events=given.events or (200_000 if given.full else 40_000),
        requests=given.requests or (30_000 if given.full else 5_000),
        data=given.data,
        full=given.full,
    )
    console = Console(quiet=given.json)
    figures: list[Figure] = []
    for part in PARTS:
        if part in wanted:
            measure: Callable[[Asked], Sequence[Figure]] = import_module(f"bench.{part}").measure
            found = measure(asked)
            console.print(table(part, found))
            figures += found
    machine = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "machine": platform.machine()}
    print(json.dumps({"bench": "embedded", **machine, "figures": [f.as_row() for f in figures]}))


def table(part: str, figures: Sequence[Figure]) -> Table:
    """The figures of one part, for a person."""
    made = Table(title=part)
    for heading in ("what", "figure", "unit", "goal", "reached", "also"):
        made.add_column(heading, justify="right" if heading in ("figure", "goal") else "left")
    for f in figures:
        goal = "" if f.goal is None else f"{'≤' if f.lower_is_better else '≥'} {f.goal:,g}"
        reached = {None: "", True: "yes", False: "no"}[f.reached]
        also = ", ".join(
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in f.extra.items()
        )
        made.add_row(f.what, f"{f.value:,.4g}" if f.value < 1_000 else f"{f.value:,.0f}", f.unit, goal, reached, also)
    return made


if __name__ == "__main__":
    main()
