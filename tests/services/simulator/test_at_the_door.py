"""A real door takes in everything that an invented county sends, and refuses what was made to be refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path

from services.engine.ports import Submission
from services.simulator import County, reports
from services.simulator.odds import Odds
from tests.support.doors import doorway

COUNTY = County(population=150_000, days=30, tail_days=400, broken=0.02, odds=Odds(repeat_call=0.9))
EVENTS = 1_800
TOGETHER = 200
REVERSED = 90


async def test_only_what_is_broken_is_refused_and_strangers_are_never_proposed_as_one(tmp_path: Path) -> None:
    """Two cases are only alike when they are about the same two people, or these with their parts exchanged."""
    sent = list(islice(reports(COUNTY, 9), EVENTS))
    statuses: Counter[tuple[bool, str]] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    async with doorway(tmp_path) as way:
        for first in range(0, EVENTS, TOGETHER):
            part = sent[first : first + TOGETHER]
            way.clock.at = part[-1].at
            receipts = await way.door.submit([Submission(one.event, one.agency, "0" * 16) for one in part])
            for report, receipt in zip(part, receipts, strict=True):
                statuses[report.broken, receipt.status] += 1
                if receipt.case_id is not None:
                    parties = report.event.data.get("parties", ())
                    people[receipt.case_id] |= {party["name"]["surname"] for party in parties}
        merges = await way.engine.writer.read(lambda tx: tx.cases.proposals("waiting", 1_000))
    assert set(statuses) == {(False, "accepted"), (False, "duplicate"), (True, "quarantined")}
    assert statuses[True, "quarantined"] > 20
    assert len(merges) > 5
    assert {proposal.score for proposal in merges} <= {REVERSED, 100}
    for proposal in merges:
        one, other = people[proposal.case_id], people[proposal.other_case_id]
        assert not one or not other or one & other
