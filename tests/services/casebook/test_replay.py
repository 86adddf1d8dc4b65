"""Replay finds every difference between what is stored and what the log says, and names it by id only."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ccr_events.core.codec import decode_link
from services.casebook.replay import Difference, ReplayRefused, verify
from services.engine.sqlite import open_engine
from services.engine.transaction import StorageFailed
from tests.support.core_rules import BOOK, Book, fact
from tests.support.records import append_all

FACTS = [
    fact(1, "arrest.made", 0, dv="yes", refs=(("incident_no", "A1"),)),
    fact(2, "jail.booked", 1, refs=(("incident_no", "A1"),)),
    fact(3, "arrest.made", 0, dv="no", corrects=1, late=2),
    fact(4, "arrest.made", 5, dv="yes", case_id="case-2", edition="e2"),
    fact(5, "case.merged", 9, agency="ccr", case_id="case-2", into="case-3"),
]


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """A stopped data directory with a few cases."""
    async with open_engine(tmp_path) as engine:
        await engine.writer.write(lambda tx: append_all(tx, FACTS))
    return tmp_path


def change(directory: Path, *statements: str) -> None:
    connection = sqlite3.connect(directory / "backbone.sqlite", isolation_level=None)
    for statement in statements:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def test_an_untouched_directory_is_identical(directory: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = verify(directory, BOOK, lambda done, total: seen.append((done, total)))
    assert report.identical
    assert (report.events, report.cases, report.links) == (6, 3, 6)
    assert seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


async def test_a_directory_in_use_is_verified_beside_the_writer(directory: Path) -> None:
    async with open_engine(directory) as engine:
        await engine.writer.write(lambda tx: append_all(tx, [fact(9, "arrest.made", 3, dv="yes", case_id="case-9")]))
        report = verify(directory, BOOK)
    assert report.identical
    assert report.events == 7


def text(column: str, old: str, new: str) -> str:
    """SQL for a blob column with some of its text replaced."""
    return f"CAST(replace(CAST({column} AS TEXT), '{old}', '{new}') AS BLOB)"


LINK = "link_id = (SELECT min(link_id) FROM links JOIN cases ON number = held_by WHERE cases.case_id = 'case-3')"
WAIVED = text("body", '"opened"', '"waived"')


@pytest.mark.parametrize(
    ("statement", "part", "case_id"),
    [
        (f"UPDATE links SET next_at = next_at + 1 WHERE {LINK}", "deadline", "case-3"),
        (f"UPDATE links SET open = 0 WHERE {LINK}", "deadline", "case-3"),
        (f"UPDATE links SET body = {WAIVED} WHERE {LINK}", "link", "case-3"),
        (f"DELETE FROM links WHERE {LINK}", "link", "case-3"),
        ("UPDATE facts SET key = (2 << 36) | (key & ((1 << 36) - 1)) WHERE key >> 36 = 1", "fact", "case-1"),
        ("DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)", "outbox", "case-2"),
        ("UPDATE outbox SET alerting = 0 WHERE position = 1", "outbox", "case-1"),
        ("UPDATE forwards SET into_case = 'case-1'", "merge", "case-2"),
        ("DELETE FROM events WHERE position = 6", "log", "case-2"),
        ("DELETE FROM events WHERE position = 2", "log", ""),
        ("DELETE FROM events WHERE position = 2", "outbox", ""),
        ("UPDATE outbox SET seq = 1000 WHERE seq = 1", "outbox", ""),
        ("DELETE FROM facts WHERE key = (SELECT max(key) FROM facts)", "fact", "case-3"),
        ("DELETE FROM facts WHERE key >> 36 = 1", "fact", "case-1"),
        ("UPDATE cases SET case_id = 'case-x' WHERE number = 1", "fact", "case-1"),
    ],
)
def test_whatever_is_changed_is_found(directory: Path, statement: str, part: str, case_id: str) -> None:
    change(directory, statement)
    report = verify(directory, BOOK)
    assert not report.identical
    assert (part, case_id) in {(d.part, d.case_id) for d in report.differences}


def test_a_difference_names_case_and_link_and_nothing_else(directory: Path) -> None:
    change(directory, f"UPDATE links SET agency = 'jail' WHERE {LINK}")
    (difference,) = verify(directory, BOOK).differences
    assert difference == Difference("deadline", "case-3", difference.link_id)


def test_missing_policies_are_named(directory: Path) -> None:
    without = Book({"e1": BOOK.editions["e1"]})
    with pytest.raises(ReplayRefused, match="edition e2"):
        verify(directory, without)


def test_a_directory_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="no data here"):
        verify(tmp_path, BOOK)
    assert list(tmp_path.iterdir()) == []


def test_links_stored_are_what_the_core_reads_back(directory: Path) -> None:
    connection = sqlite3.connect(directory / "backbone.sqlite")
    bodies = [body for (body,) in connection.execute("SELECT body FROM links")]
    connection.close()
    assert len({decode_link(body).id for body in bodies}) == 6
