"""However a case's events are cut into batches, and in whatever order they come, what is stored is the same."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core.codec import encode_view
from ccr_events.core.fold import refold
from ccr_events.core.model import Fact
from services.casebook.replay import verify
from services.engine.deadlines import next_of, pending
from services.engine.sqlite import open_engine
from tests.ccr_events.core.test_laws import histories
from tests.support.core_rules import BOOK, fact
from tests.support.records import append_all

CASES = ("case-1", "case-2")
Stored = tuple[dict[str, bytes], list[tuple[object, ...]]]


async def stored(directory: Path, facts: list[Fact], cuts: list[int]) -> Stored:
    """Views and link rows (by link id) after publishing `facts`, a transaction for each batch."""
    bounds = [0, *sorted(min(cut, len(facts)) for cut in cuts), len(facts)]
    async with open_engine(directory) as engine:
        for start, end in pairwise(bounds):
            batch = facts[start:end]
            await engine.writer.write(lambda tx, batch=batch: append_all(tx, batch))  # type: ignore[misc]
        views = {c: encode_view(await engine.writer.read(lambda tx, c=c: tx.views.get(c))) for c in CASES}  # type: ignore[misc]
    with sqlite3.connect(directory / "backbone.sqlite") as connection:
        rows = connection.execute(
            "SELECT link_id, cases.case_id, agency, rule, open, due_at, overdue, escalated, pending, next_at, body "
            "FROM links JOIN cases ON number = held_by ORDER BY link_id"
        ).fetchall()
    connection.close()
    report = verify(directory, BOOK)
    assert report.identical, report.differences
    return views, rows


@given(histories(), st.lists(st.integers(0, 30), max_size=5), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_batches_and_order_leave_the_same_bytes(
    facts: list[Fact], cuts: list[int], merged: bool, rng: random.Random
) -> None:
    if merged:
        facts = [*facts, fact(900, "case.merged", 200, agency="ccr", into="case-2")]
    shuffled = facts[:]
    rng.shuffle(shuffled)
    with TemporaryDirectory() as one, TemporaryDirectory() as two:
        views, rows = asyncio.run(stored(Path(one), facts, []))
        other_views, other_rows = asyncio.run(stored(Path(two), shuffled, cuts))
    assert rows == other_rows
    if not merged:  # absorbed facts carry when they were absorbed, which is nothing links look at
        assert views == other_views


@given(histories(), st.lists(st.integers(0, 30), max_size=5))
@settings(max_examples=25, deadline=None)
def test_deadlines_stay_in_step_with_links(facts: list[Fact], cuts: list[int]) -> None:
    async def run(directory: Path) -> None:
        async with open_engine(directory) as engine:
            bounds = [0, *sorted(min(cut, len(facts)) for cut in cuts), len(facts)]
            for start, end in pairwise(bounds):
                batch = facts[start:end]
                await engine.writer.write(lambda tx, batch=batch: append_all(tx, batch))  # type: ignore[misc]
                links = refold("case-1", {f.id: f for f in facts[:end]}, BOOK).links.values()
                expected = sorted((d.at, d.link_id, d.step) for link in links for d in pending(link))
                far = max((at for at, _, _ in expected), default=facts[0].occurred_at)
                due = await engine.writer.read(lambda tx, far=far: tx.deadlines.due(far, 10_000))  # type: ignore[misc]
                assert [(d.at, d.link_id, d.step) for d in due] == expected
                earliest = min((at for link in links if (at := next_of(link)) is not None), default=None)
                assert await engine.writer.read(lambda tx: tx.deadlines.next_at()) == earliest

    with TemporaryDirectory() as directory:
        asyncio.run(run(Path(directory)))
