"""Kill -9 at any instant: every acknowledged event is there once, nothing half-written, replay agrees.

CCR_KILL_ROUNDS sets how many times (default 20), CCR_KILL_SEED repeats a run that failed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from services.casebook.replay import verify
from services.engine.sqlite import open_engine
from tests.services.engine.doomed import publish_until_killed
from tests.support.core_rules import BOOK

ROUNDS = int(os.environ.get("CCR_KILL_ROUNDS", "20"))
LONGEST_LIFE_S = 0.1


def life_and_death(directory: Path, number: int, rng: random.Random) -> set[str]:
    """The ids that a killed process had acknowledged."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "tests.services.engine.doomed"])
    hears, tells = context.Pipe(duplex=False)
    process = context.Process(target=publish_until_killed, args=(directory, number, rng.randrange(2**32), tells))
    process.start()
    tells.close()
    acknowledged = set[str](hears.recv())
    time.sleep(rng.uniform(0, LONGEST_LIFE_S))
    process.kill()
    process.join()
    with suppress(EOFError), hears:
        while True:
            acknowledged.update(hears.recv())
    return acknowledged


async def test_killed_at_any_instant_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    seed = int(os.environ.get("CCR_KILL_SEED", str(random.SystemRandom().randrange(2**32))))
    print(f"CCR_KILL_SEED={seed}")
    rng = random.Random(seed)
    acknowledged: set[str] = set()
    for number in range(1, ROUNDS + 1):
        acknowledged |= life_and_death(tmp_path, number, rng)
        if number % 8 == 0:
            report = verify(tmp_path, BOOK)
            assert report.identical, report.differences
    async with open_engine(tmp_path) as engine:
        stored, after = Counter[str](), 0
        while page := await engine.log.read(after, 10_000):
            stored.update(r.event_id for r in page)
            after = page[-1].position
        assert after == sum(stored.values())
        assert acknowledged <= stored.keys()
        assert set(stored.values()) == {1}
        transitions = (await engine.counts.figures()).outbox_seq
    final = verify(tmp_path, BOOK)
    assert final.identical, final.differences
    assert (final.events, final.transitions) == (after, transitions)
    assert len(acknowledged) >= ROUNDS
