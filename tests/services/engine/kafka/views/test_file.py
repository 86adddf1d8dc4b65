"""A local file is a copy: one that is damaged, foreign or half-written is set aside, never used."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ccr_events.core.view import CaseView
from services.engine.kafka.views import PartitionViews, StateDamaged, open_partition
from services.engine.kafka.views.file import ASIDE, PartitionFile
from services.engine.kafka.views.tables import Standing
from services.engine.transaction import StorageFailed
from tests.support.case_views import view_with

NAME = "views-0.sqlite"


def with_views(directory: Path, count: int = 200) -> Path:
    """A file with so many views, closed; its path."""
    views = open_partition(directory, 0, epoch=1, cache_facts=0)
    for number in range(count):
        views.put(view_with(f"case {number}", 5, text=os.urandom(200).hex()))
    views.settle(views.checkpoint(7))
    views.close()
    return directory / NAME


def overwritten(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def of_somebody_else(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE views (something TEXT)")
    connection.commit()
    connection.close()


def of_another_format(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def of_another_partition(path: Path) -> None:
    views = open_partition(path.parent, 1, epoch=1)
    views.close()
    (path.parent / "views-1.sqlite").replace(path)


def without_standing(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE standing SET body = x'00'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "spoil",
    [overwritten, emptied, cut, of_somebody_else, of_another_format, of_another_partition, without_standing],
)
def test_what_cannot_be_trusted_is_set_aside_and_begun_anew(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    path = with_views(tmp_path)
    spoil(path)
    views = open_partition(tmp_path, 0, epoch=1)
    assert (views.offset, views.file.count()) == (0, 0)
    assert "set aside" in (views.file.set_aside or "")
    assert (tmp_path / (NAME + ASIDE)).exists()
    views.put(view_with("case 1", 1))
    views.settle(views.checkpoint(1))
    views.close()
    again = open_partition(tmp_path, 0, epoch=1)
    assert (again.offset, again.file.set_aside) == (1, None)
    again.close()


def test_a_file_of_the_generation_before_is_set_aside(tmp_path: Path) -> None:
    with_views(tmp_path)
    views = open_partition(tmp_path, 0, epoch=1, topic="ccr.case-views.g2")
    assert views.offset == 0
    assert "ccr.case-views, partition 0" in (views.file.set_aside or "")
    views.close()


def all_views(views: PartitionViews) -> list[CaseView]:
    return [views.get(f"case {number}") for number in range(500)]


def test_damage_found_later_is_told_and_the_file_not_used_again(tmp_path: Path) -> None:
    path = with_views(tmp_path, 500)
    views = open_partition(tmp_path, 0, epoch=1)
    pages = range(20 * 4_096, path.stat().st_size, 4_096)
    with path.open("r+b") as disk:
        for start in pages:
            disk.seek(start)
            disk.write(os.urandom(4_096))
    with pytest.raises(StateDamaged, match=r"damaged.*set aside"):
        all_views(views)
    views.close()
    assert not path.exists()
    assert (tmp_path / (NAME + ASIDE)).exists()
    again = open_partition(tmp_path, 0, epoch=1)
    assert (again.offset, again.file.count()) == (0, 0)
    again.close()


def test_a_file_that_was_being_filled_when_the_worker_died_is_not_trusted(tmp_path: Path) -> None:
    half = PartitionFile(tmp_path, "ccr.case-views", 0)
    half.begin_filling()
    half.write([("case", 1, 1, 0, None, b"packed")], Standing("ccr.case-views", 0, read_to=1))
    half._connection.close()  # as the end of the process would
    os.close(half._lock)
    again = PartitionFile(tmp_path, "ccr.case-views", 0)
    assert (again.count(), again.standing.read_to) == (0, 0)
    assert "not a file of ours" in (again.set_aside or "")
    again.begin_filling()
    again.write([("case", 1, 1, 0, None, b"packed")], Standing("ccr.case-views", 0, read_to=1))
    again.end_filling()
    again.close()
    filled = PartitionFile(tmp_path, "ccr.case-views", 0)
    assert (filled.find("case"), filled.standing.read_to, filled.set_aside) == ((None, b"packed"), 1, None)
    # Only an empty one does without a log.
    filled.begin_filling()
    filled.write([("case", 1, 2, 1, 5, b"later")], Standing("ccr.case-views", 0, read_to=2))
    filled._connection.close()
    os.close(filled._lock)
    later = PartitionFile(tmp_path, "ccr.case-views", 0)
    assert (later.find("case"), later.standing.read_to) == ((5, b"later"), 2)
    later.close()


def test_what_cannot_be_written_leaves_nothing_of_it(tmp_path: Path) -> None:
    file = PartitionFile(tmp_path, "ccr.case-views", 0)
    with pytest.raises(StorageFailed):
        file.write([("one", 1, 1, 0, None, b"packed"), (None, 1, 1, 0, None, b"")], file.standing)  # type: ignore[list-item]
    assert file.count() == 0
    file.close()


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StorageFailed, match=r"state.*the disk refused"):
        PartitionFile(tmp_path / "state", "ccr.case-views", 0)
