"""A case as it stood: what was recorded by then, whenever it happened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ccr_events.core.codec import encode_view
from services.casebook.as_of import case_as_of
from services.engine.sqlite import open_engine
from services.engine.sqlite.snapshot import open_snapshot
from tests.support.core_rules import BOOK, T0, event_id, fact
from tests.support.records import append_all

FACTS = [
    fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),)),
    fact(2, "jail.booked", 1, refs=(("incident_no", "A1"),)),
    fact(3, "arrest.made", 0, dv="no", corrects=1, late=2),
    fact(4, "arrest.made", 1, dv="yes", case_id="case-2", edition="e2", late=2),
    fact(5, "case.merged", 9, agency="ccr", case_id="case-2", into="case-3"),
]


@pytest.fixture
async def stages(tmp_path: Path) -> list[bytes]:
    """The view of case-1 after each of its events, as it was stored."""
    seen = []
    async with open_engine(tmp_path) as engine:
        for one in FACTS:
            await engine.writer.write(lambda tx, one=one: append_all(tx, [one]))
            if one.case_id == "case-1":
                seen.append(await engine.writer.read(lambda tx: encode_view(tx.views.get("case-1"))))
    return seen


def test_a_case_is_shown_as_it_was_stored_then(tmp_path: Path, stages: list[bytes]) -> None:
    with open_snapshot(tmp_path) as stored:
        for hours, stage in zip((0, 1, 2), stages, strict=True):
            standing = case_as_of(stored, "case-1", T0 + timedelta(hours=hours), BOOK)
            assert standing is not None
            assert encode_view(standing.view) == stage
            assert standing.later == 2 - hours


def test_before_anything_was_recorded_there_is_no_case(tmp_path: Path, stages: list[bytes]) -> None:
    with open_snapshot(tmp_path) as stored:
        assert case_as_of(stored, "case-1", T0 - timedelta(seconds=1), BOOK) is None
        assert case_as_of(stored, "case-2", T0 + timedelta(hours=2.9), BOOK) is None
        assert case_as_of(stored, "no-case", T0 + timedelta(days=9), BOOK) is None


def test_what_was_corrected_is_marked(tmp_path: Path, stages: list[bytes]) -> None:
    with open_snapshot(tmp_path) as stored:
        standing = case_as_of(stored, "case-1", T0 + timedelta(hours=2), BOOK)
    assert standing is not None
    assert {f.id for f in standing.timeline} - standing.counting == {event_id(1)}


def test_a_merge_shows_in_both_cases(tmp_path: Path, stages: list[bytes]) -> None:
    at = T0 + timedelta(hours=9)
    with open_snapshot(tmp_path) as stored:
        gone, into = case_as_of(stored, "case-2", at, BOOK), case_as_of(stored, "case-3", at, BOOK)
        before = case_as_of(stored, "case-2", at - timedelta(seconds=1), BOOK)
    assert gone is not None and into is not None and before is not None  # noqa: PT018
    assert (gone.into, before.into) == ("case-3", None)
    assert [f.id for f in into.timeline] == [event_id(4)]
    assert before.view.links.keys() == into.view.links.keys()
