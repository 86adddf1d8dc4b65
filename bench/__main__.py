"""`python -m bench`: a table, and last a line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sqlite3
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.engine import Figure, as_rows, measure


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=40_000, help="length of the log that is filled (default 40000)")
    parser.add_argument("--data", type=Path, help="an empty directory on the disk to measure (default: temporary)")
    asked = parser.parse_args()
    figures = asyncio.run(measure(asked.events, asked.data))
    Console().print(_table(figures))
    machine = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "machine": platform.machine()}
    print(json.dumps({"bench": "engine", **machine, "figures": as_rows(figures)}))


def _table(figures: list[Figure]) -> Table:
    table = Table(title="embedded engine: durable, folded, links and outbox written")
    for heading in ("what", "events", "events/s", "p50 ms", "p99 ms", "log holds"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for f in figures:
        table.add_row(
            f.what, f"{f.events:,}", f"{f.events_per_s:,}", f"{f.p50_ms:.2f}", f"{f.p99_ms:.2f}", f"{f.log_holds:,}"
        )
    return table


if __name__ == "__main__":
    main()
