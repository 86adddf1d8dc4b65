"""An export taken in again publishes what has changed, as corrections, and nothing else."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.envelope import Event
from services.adapters.csv import Ledger, LedgerError
from tests.support.doors import an_event

ROW = an_event(1)


def row(narrative: str) -> Event:
    return replace(ROW, data={"narrative": narrative})


def take_in(ledger: Ledger, *events: Event) -> list[Event]:
    """One run of an export whose every event is accepted; returns what was published."""
    planned = [ledger.planned(event) for event in events]
    sent = [p for p in planned if p.outcome == "publish"]
    ledger.published(sent, {})
    ledger.commit()
    return [p.event for p in sent]


def test_unchanged_rows_are_left_alone_and_changed_ones_correct_the_version_before(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    (first,) = take_in(Ledger(path), row("a"))
    assert first == row("a")
    assert take_in(Ledger(path), row("a")) == []
    (second,) = take_in(Ledger(path), row("b"))
    assert second.corrects == first.id
    assert second.data == {"narrative": "b"}
    (third,) = take_in(Ledger(path), row("a"))
    assert third.corrects == second.id
    assert len({first.id, second.id, third.id}) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_not_committed_is_planned_the_same_way_again(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    take_in(Ledger(path), row("a"))
    planned = Ledger(path).planned(row("b"))
    assert Ledger(path).planned(row("b")) == planned


def test_two_rows_of_one_run_with_one_key_are_told_unless_they_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    ledger = Ledger(None)
    assert [ledger.planned(row(text)).outcome for text in "aab"] == ["publish", "unchanged", "same_key"]
    ledger = Ledger(path)
    take_in(ledger, row("a"))
    assert Ledger(path, run=ledger.run).planned(row("b")).outcome == "same_key"
    later = Ledger(path)
    assert [later.planned(row(text)).outcome for text in "ab"] == ["unchanged", "same_key"]


def test_without_the_ledger_a_conflict_becomes_a_correction_and_a_correction_s_conflict_does_not() -> None:
    ledger = Ledger(None)
    planned = ledger.planned(row("b"))
    correction = planned.correction()
    assert correction is not None
    assert correction.corrects == ROW.id != correction.id
    ledger.published([planned], {planned.row_id: correction.id})
    ledger.commit()
    ledger.run = b"next"
    again = ledger.planned(row("c"))
    assert again.event.corrects == correction.id
    assert again.correction() is None


def test_ids_of_corrections_tell_nothing_about_what_is_sealed(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        ledger = Ledger(tmp_path / name)
        take_in(ledger, row("a"))
        ids.add(Ledger(tmp_path / name).planned(row("b")).event.id)
    assert len(ids) == 2


def test_a_damaged_ledger_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    path.write_bytes(b"x" * 5_000)
    with pytest.raises(LedgerError, match="cannot be used"):
        Ledger(path)


@given(st.lists(st.dictionaries(st.integers(0, 3), st.sampled_from("abc"), max_size=4), max_size=5))
def test_after_any_exports_the_last_one_stands_and_nothing_is_said_twice(exports: list[dict[int, str]]) -> None:
    ledger, log = Ledger(None), dict[str, Event]()
    standing = dict[str, Any]()
    wanted = dict[str, str]()
    for n, export in enumerate(exports):
        ledger.run = n.to_bytes(8, "big")
        for event in take_in(ledger, *(replace(row(text), id=an_event(k).id) for k, text in export.items())):
            assert event.id not in log
            log[event.id] = event
            root = event
            while root.corrects is not None:
                root = log[root.corrects]
            standing[root.id] = event.data["narrative"]
        wanted |= {an_event(k).id: text for k, text in export.items()}
    assert standing == wanted
