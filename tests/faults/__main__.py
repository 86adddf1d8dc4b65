"""A long storm over three brokers: `make faults MINUTES=20 SEED=7`.

Faults of every kind, drawn by the seed, one after another while events come; then everything is healed and compared
with what a calm engine makes of the same events. Ends with a line of JSON; status 1 when anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory, mkdtemp
from time import monotonic

from rich.console import Console
from rich.progress import Progress

from ccr_events.policy import load_policies
from services.cli.worker_options import say_it_ourselves
from services.engine.kafka.broker import broker
from tests.faults.cluster import SETTINGS, on_fresh_topics
from tests.faults.storm import HEAP_MB, Storm, Totals
from tests.support.kafka_steps import embedded_steps, undated_weeks

COPIES = 3
WEEKS_A_MINUTE = 4
"""Invented weeks, of some 350 events each, that come in a minute."""
STEPS_A_MINUTE, FEWEST_STEPS = 12, 16
"""How often the clock moves on, and deadlines are reached."""
CALM_S = 5.0
"""At the end without a new fault: what comes then is folded by those that are left."""


def drawn(seed: int, kinds: list[str], seconds: float) -> Iterator[str]:
    """Every kind once, in an order of the seed, and then any, until the time is over."""
    chosen, until_s = random.Random(seed), monotonic() + seconds
    first = chosen.sample(kinds, len(kinds))
    while monotonic() < until_s:
        yield first.pop() if first else chosen.choice(kinds)


async def storm_over(seed: int, minutes: float, console: Console) -> Totals:
    """One storm on a cluster of its own."""
    policies = await asyncio.to_thread(load_policies)
    with TemporaryDirectory(prefix="ccr-faults-") as made:
        directory = Path(made)
        console.print("what a calm engine makes of the events …")
        records = undated_weeks(policies, max(3, round(minutes * WEEKS_A_MINUTE)))
        steps = max(FEWEST_STEPS, round(minutes * STEPS_A_MINUTE))
        script = await embedded_steps(directory / "calm", records, policies, steps)
        async with (
            broker(directory / "kafka", brokers=3, heap_mb=HEAP_MB, settings=SETTINGS) as bootstrap,
            on_fresh_topics(bootstrap, directory, COPIES) as cluster,
        ):
            storm = Storm(cluster, directory / "kafka", script, policies, seed)
            seconds = 60 * minutes
            faults = drawn(seed, sorted(storm.kinds), seconds - CALM_S)
            with Progress(console=console) as progress:
                task = progress.add_task(f"seed {seed}, {len(script.made.log):,} events", total=seconds)

                def shown() -> Iterator[str]:
                    began_s = monotonic()
                    for fault in faults:
                        progress.update(task, completed=monotonic() - began_s, description=fault)
                        yield fault
                    progress.update(task, completed=seconds, description="healed; comparing")

                try:
                    return await storm.run(shown(), seconds, directory / "views")
                except BaseException:
                    console.print(f"what the workers said, and when faults came, is in {kept(storm)}", markup=False)
                    raise


def kept(storm: Storm) -> Path:
    """A directory of what is needed to find out what happened."""
    made = Path(mkdtemp(prefix=f"ccr-faults-seed-{storm.seed}-"))
    for log in storm.cluster.directory.glob("worker-*.log"):
        copy(log, made)
    (made / "faults.txt").write_text("\n".join(storm.timeline) + "\n")
    return made


def main() -> int:
    """Parse, run, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    say_it_ourselves()
    console = Console(stderr=True)
    try:
        totals = asyncio.run(storm_over(asked.seed, asked.minutes, console))
    except AssertionError as broken:
        console.print(f"seed {asked.seed}: {broken}", markup=False)
        return 1
    console.print(totals.told(), markup=False)
    print(json.dumps(totals.as_json()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
