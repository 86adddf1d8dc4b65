"""`make bench-kafka`: ours beside other ways to fold events of Kafka, on one broker, in one run. Last a line of JSON.

`make bench-kafka ARGS="--events 100000 --rounds 1 --only ours,quix --parts rounds"` is a quick look.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench import kafka_latency, kafka_overhead, kafka_state, kafka_workers
from bench.figure import Asked, Figure
from bench.kafka_peers import KEYS, WAYS
from bench.kafka_picture import draw
from bench.kafka_report import compared, durable_table, figures_of, figures_table, rates_table
from bench.kafka_rounds import Measured, Runner, rounds

EVENTS = 1_000_000
ROUNDS = 5
WIDTH = 160
"""Of the tables, where they are not printed on a terminal."""
HEAP_MB = 512
"""Java heap of the broker."""
PARTS = ("rounds", "overhead", "workers", "latency", "recovery")

ON_THE_BROKER: Mapping[str, Callable[[Runner], Sequence[Figure]]] = {
    "overhead": kafka_overhead.measure,
    "workers": kafka_workers.measure,
    "latency": kafka_latency.measure,
}
"""Parts on the same broker, beside the rounds. Recovery brings its own."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.kafka", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"events a way reads (default {EVENTS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"interleaved rounds (default {ROUNDS})")
    parser.add_argument("--only", default=",".join(way.name for way in WAYS), help="some of these ways (default: all)")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"some of {','.join(PARTS)} (default: all)")
    parser.add_argument("--data", type=Path, help="a directory on the disk to measure (default: temporary)")
    parser.add_argument("--picture", type=Path, help="draw the rates into this file (.svg or .png)")
    parser.add_argument("--json", action="store_true", help="only the line of JSON")
    given = parser.parse_args()
    names, parts = given.only.split(","), given.parts.split(",")
    if unknown := sorted({*names, *parts} - {way.name for way in WAYS} - set(PARTS)):
        parser.error(
            f"there is no {', '.join(unknown)}; there are {', '.join(w.name for w in WAYS)}; {', '.join(PARTS)}"
        )
    if given.events < 1 or given.rounds < 1:
        parser.error("--events and --rounds are at least 1")
    console = Console(quiet=given.json)
    if not console.is_terminal:
        console.width = WIDTH
    with TemporaryDirectory(prefix="ccr-bench-kafka-", dir=given.data) as directory:
        measured, figures = asyncio.run(_on_a_broker(given, names, parts, Path(directory), console))
        if "recovery" in parts:
            console.print("measuring recovery", style="dim")
            figures += kafka_state.measure(Asked(given.events, 0, Path(directory), full=given.events >= EVENTS))
    if measured:
        console.print(rates_table(measured))
        console.print(durable_table(measured))
    if figures:
        console.print(figures_table(figures))
    if given.picture:
        draw(measured, given.picture)
    rates = {each.way.name: each.rate for each in measured}
    print(
        json.dumps(
            {
                "bench": "kafka",
                "python": platform.python_version(),
                "machine": platform.machine(),
                "cores": os.cpu_count(),
                "events": given.events,
                "rounds": given.rounds,
                "events_per_s": {key: rates.get(key) for key in KEYS},
                "beside": {name: rate for name, rate in rates.items() if name not in KEYS},
                "ways": [compared(each, measured) for each in measured],
                "figures": [figure.as_row() for figure in figures],
            }
        )
    )


async def _on_a_broker(
    given: argparse.Namespace, names: Sequence[str], parts: Sequence[str], directory: Path, console: Console
) -> tuple[list[Measured], list[Figure]]:
    from services.engine.kafka.broker import broker

    settings = {"transaction.state.log.num.partitions": "4"}
    async with broker(directory / "cluster", heap_mb=HEAP_MB, settings=settings) as bootstrap:
        runner = Runner(bootstrap, given.events, directory, lambda text: console.print(text, style="dim"))
        return await asyncio.to_thread(_measured, runner, names, parts, given.rounds)


def _measured(
    runner: Runner, names: Sequence[str], parts: Sequence[str], count: int
) -> tuple[list[Measured], list[Figure]]:
    measured: list[Measured] = []
    if "rounds" in parts:
        measured = rounds(runner, [way for way in WAYS if way.name in names], count)
    figures = figures_of(measured)
    for part, measure in ON_THE_BROKER.items():
        if part in parts:
            runner.say(f"measuring {part}")
            figures += measure(runner)
    return measured, figures


if __name__ == "__main__":
    main()
