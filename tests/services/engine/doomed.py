"""A process that publishes under load until it is killed, and tells what was acknowledged."""

from __future__ import annotations

import asyncio
import random
from multiprocessing.connection import Connection
from pathlib import Path

from ccr_events.core.model import Fact
from services.engine.sqlite import SqliteEngine, open_engine
from services.engine.transaction import Transaction
from tests.support.core_rules import fact
from tests.support.records import append_all

PUBLISHERS = 8
CASES = 80
TYPES = ("arrest.made", "jail.booked", "risk.screened", "call.closed", "custody.released", "victim.release_notified")


def publish_until_killed(directory: Path, round_number: int, seed: int, acknowledged: Connection) -> None:
    """Sends each event id once its write was answered."""
    asyncio.run(_run(directory, round_number, random.Random(seed), acknowledged))


async def _run(directory: Path, round_number: int, rng: random.Random, acknowledged: Connection) -> None:
    async with open_engine(directory) as engine:
        await asyncio.gather(*(_publish(engine, round_number, p, rng, acknowledged) for p in range(PUBLISHERS)))


async def _publish(
    engine: SqliteEngine, round_number: int, publisher: int, rng: random.Random, acknowledged: Connection
) -> None:
    number = (round_number * PUBLISHERS + publisher) * 1_000_000
    while True:
        facts = [_any_fact(round_number // 3, number + n, rng) for n in range(rng.choice((1, 1, 1, 5, 40)))]
        number += len(facts)
        fails = rng.random() < 0.1

        def work(tx: Transaction, facts: list[Fact] = facts, fails: bool = fails) -> None:
            append_all(tx, facts)
            if fails:
                raise LookupError("refused after it was written")

        try:
            await engine.writer.write(work)
        except LookupError:
            continue
        acknowledged.send([f.id for f in facts])


def _any_fact(era: int, number: int, rng: random.Random) -> Fact:
    """A fact of a case that was there before the last kill, or of a new one; cases stay of a size to fold quickly."""
    case = era * CASES + rng.randrange(CASES)
    if rng.random() < 0.005 and case % 4 != 3:
        return fact(number, "case.merged", 100, agency="ccr", case_id=f"case-{case}", into=f"case-{case + 1}")
    type_ = rng.choice(TYPES)
    hours = rng.randrange(100)
    corrects = number - 1 if rng.random() < 0.1 else None
    return fact(number, type_, hours, case_id=f"case-{case}", corrects=corrects, dv=rng.choice(("yes", "no")))
