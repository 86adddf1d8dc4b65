"""`python -m bench`: a table, and last a line of JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import sqlite3
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from rich.console import Console
from rich.table import Table

from bench.engine import Figure, as_rows, measure
from bench.http import measure_http


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=40_000, help="length of the log that is filled (default 40000)")
    parser.add_argument("--requests", type=int, default=5_000, help="events sent over HTTP (default 5000)")
    parser.add_argument("--only", choices=("engine", "http"), help="one part only")
    parser.add_argument("--data", type=Path, help="an empty directory on the disk to measure (default: temporary)")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    asked = parser.parse_args()
    console = Console(quiet=asked.json)
    figures: list[Figure] = []
    if asked.only != "http":
        figures = _in_loop(measure(asked.events, asked.data))
        console.print(_table("embedded engine: durable, folded, links and outbox written", figures))
    if asked.only != "engine":
        place = None if asked.data is None else asked.data / "http"
        over_http = _in_loop(measure_http(asked.requests, place))
        console.print(_table("over HTTP: validated, placed in a case, sealed, and all of that", over_http))
        figures += over_http
    machine = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "machine": platform.machine()}
    print(json.dumps({"bench": "embedded", **machine, "figures": as_rows(figures)}))


def _in_loop(measuring: Coroutine[Any, Any, list[Figure]]) -> list[Figure]:
    """In the event loop `ccr up` runs in."""
    factory = uvicorn.Config(None).get_loop_factory()  # type: ignore[arg-type]
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(measuring)


def _table(title: str, figures: list[Figure]) -> Table:
    table = Table(title=title)
    for heading in ("what", "events", "events/s", "p50 ms", "p99 ms", "log holds"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for f in figures:
        table.add_row(
            f.what, f"{f.events:,}", f"{f.events_per_s:,}", f"{f.p50_ms:.2f}", f"{f.p99_ms:.2f}", f"{f.log_holds:,}"
        )
    return table


if __name__ == "__main__":
    main()
