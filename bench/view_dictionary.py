"""Trains the dictionary that packed views are compressed with: `python -m bench.view_dictionary FILE`.

From an invented county, so that nobody's data is in a release. A dictionary is frozen with the version of the packing
that it belongs to (`services.engine.kafka.views.packing`): train one only for a new version.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.msgpack import Encoder
from zstandard import ZstdCompressor, train_dictionary

from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.core.fold import step
from ccr_events.core.model import Fact
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from ccr_events.policy import load_policies
from services.embedded import Settings, open_backbone
from services.engine.kafka.views.packing import laid_out
from services.engine.ports import Submission
from services.simulator.county import County
from services.simulator.stream import reports

DAYS = 240
SEED = 20
BYTES = 64 * 1024
"""Larger ones save little more, and a core's cache has to hold it."""
PAGE = 500


def main() -> None:
    """Train and write."""
    path = Path(sys.argv[1])
    samples = [Encoder().encode(laid_out(view)) for view in asyncio.run(_views())]
    trained = train_dictionary(BYTES, samples)
    path.write_bytes(ZstdCompressor(19).compress(trained.as_bytes()))
    print(f"{len(samples):,} views of {sum(map(len, samples)):,} bytes; {path.stat().st_size:,} bytes written")


async def _views() -> list[CaseView]:
    """Every case as it was after half of its events, and at the end with and without deadlines that passed."""
    policies = load_policies()
    found = []
    for facts in (await _facts()).values():
        acts = [fact for fact in facts if fact.type != DEADLINE_REACHED]
        for history in (acts[: (len(acts) + 1) // 2], acts, facts):
            view = CaseView(facts[0].case_id)
            for fact in history:
                view = step(view, fact, policies).view
            found.append(view)
    return found


async def _facts() -> dict[str, list[Fact]]:
    """What the backbone makes of a county's reports, by case."""
    by_case: defaultdict[str, list[Fact]] = defaultdict(list)
    with TemporaryDirectory() as directory:
        async with open_backbone(Settings(Path(directory) / "data")) as backbone:
            sent = reports(County(days=DAYS, tail_days=60), SEED)
            while page := list(islice(sent, PAGE)):
                await backbone.publisher.submit([Submission(each.event, each.agency, "trained") for each in page])
            position = 0
            while records := await backbone.log.read(position):
                position = records[-1].position
                for record in records:
                    by_case[record.case_id].append(read_fact(record.body))
    return by_case


if __name__ == "__main__":
    main()
