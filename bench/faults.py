"""Kill -9 at random instants under load: what was acknowledged is there, once, and replay agrees each time.

A process publishes the scripted histories from several publishers and tells what was acknowledged; it is killed at a
random instant and started again on what it left. The seed is among the figures and repeats the instants.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.county import records
from bench.figure import Asked, Figure
from bench.quiet import Quiet
from ccr_events.policy import load_policies
from services.casebook.recorder import Casebook
from services.casebook.replay import verify
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.sqlite.database import DATABASE
from services.engine.transaction import NewRecord, Transaction

PART = "faults"
KILLS = 10
KILLS_FULL = 200
LONGEST_LIFE_S = 0.4
PUBLISHERS = 8


def measure(asked: Asked) -> list[Figure]:
    """Kill, look, start again."""
    seed = random.SystemRandom().randrange(2**32)
    with TemporaryDirectory(prefix="ccr-bench-", dir=asked.data) as directory:
        return killed(Path(directory), KILLS_FULL if asked.full else KILLS, seed)


def killed(directory: Path, kills: int, seed: int) -> list[Figure]:
    """So many lives, each ended by kill -9; after each, what is on the log and whether replay agrees."""
    rng, policies = random.Random(seed), load_policies()
    acknowledged: set[str] = set()
    lost = doubled = different = events = 0
    for life in range(kills):
        acknowledged |= _life_and_death(directory, life, rng)
        on_log = _on_log(directory)
        lost += len(acknowledged - on_log.keys())
        doubled += sum(times - 1 for times in on_log.values())
        report = verify(directory, policies)
        different += report.different
        events = report.events
    extra = {"kills": kills, "acknowledged": len(acknowledged), "on the log": events, "seed": seed}
    found = {"accepted events lost": lost, "events doubled": doubled, "differences found by replay": different}
    return [
        Figure(PART, f"kill -9: {what}", number, "", 0, lower_is_better=True, extra=extra)
        for what, number in found.items()
    ]


def _life_and_death(directory: Path, life: int, rng: random.Random) -> set[str]:
    """The ids that a process had acknowledged when it was killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "bench.faults"])
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=publish_until_killed, args=(directory, life, rng.randrange(2**32), tells))
    process.start()
    tells.close()
    try:
        acknowledged = set[str](hears.recv())
        time.sleep(rng.uniform(0, LONGEST_LIFE_S))
    finally:
        process.kill()
        process.join()
    with suppress(EOFError), hears:
        while True:
            acknowledged.update(hears.recv())
    return acknowledged


def _on_log(directory: Path) -> Counter[str]:
    """How often each event id is on the log."""
    with closing(sqlite3.connect(f"{(directory / DATABASE).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        return Counter(event_id for (event_id,) in connection.execute("SELECT event_id FROM events"))


def publish_until_killed(directory: Path, life: int, seed: int, acknowledged: Connection) -> None:
    """Publishes, and sends the ids of each batch once its write was answered. Ends only by being killed."""
    asyncio.run(_publish_all(directory, life, random.Random(seed), acknowledged))


async def _publish_all(directory: Path, life: int, rng: random.Random, acknowledged: Connection) -> None:
    policies = load_policies()
    # Two lives in a row have the same cases: what was lost with a kill is published again, what was not is known.
    source = records(policies, era=f"life {life // 2} ")
    casebook = Casebook(policies, Quiet())
    async with open_engine(directory) as engine:
        await asyncio.gather(*(_publish(engine, casebook, source, rng, acknowledged) for _ in range(PUBLISHERS)))


async def _publish(
    engine: SqliteEngine,
    casebook: Casebook,
    source: Iterator[NewRecord],
    rng: random.Random,
    acknowledged: Connection,
) -> None:
    while True:
        batch = list(islice(source, rng.choice((1, 1, 1, 10, 100))))

        def work(tx: Transaction, batch: list[NewRecord] = batch) -> None:
            for record in batch:
                if tx.events.find(record.fact.id) is None:
                    casebook.append(tx, record)

        await engine.writer.write(work)
        acknowledged.send([record.fact.id for record in batch])
