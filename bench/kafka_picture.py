"""The rates as a picture, drawn in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.kafka_peers import PEERS, environment
from bench.kafka_report import times
from bench.kafka_rounds import Measured


def draw(measured: Sequence[Measured], path: Path) -> None:
    """Write the picture, as its ending says. Raises `bench.kafka_peers.Refused` and `RuntimeError`."""
    rows = [
        {
            "way": each.way.name,
            "median": each.rate,
            "slowest": min(each.rates),
            "fastest": max(each.rates),
            "times": median(ratios) if (ratios := times(measured, each)) else None,
        }
        for each in sorted(measured, key=lambda one: one.rate or 0)
        if each.rate is not None
    ]
    command = [str(environment("picture")), str(PEERS / "picture" / "draw.py"), str(path.absolute())]
    drawn = subprocess.run(command, input=json.dumps(rows), capture_output=True, text=True)
    if drawn.returncode:
        raise RuntimeError(f"the picture was not drawn: {drawn.stderr.strip()[-1_000:]}")
