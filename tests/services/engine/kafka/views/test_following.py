"""What a file makes of records: of other versions, other topics, and of many owners."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.engine.kafka.views.file import PartitionFile
from services.engine.kafka.views.following import MAX_EPOCHS, Following, Foreign, sure
from services.engine.kafka.views.packing import VERSION as PACKING
from services.engine.kafka.views.packing import ViewPacker
from services.engine.kafka.views.records import (
    MARK_KEY,
    VERSION,
    Mark,
    UnknownRecord,
    ViewRecord,
    decode_mark,
    decode_view,
    encode_mark,
    encode_view,
)
from tests.services.engine.kafka.views.pretended import Kept
from tests.support.case_views import view_with

TOPIC = "ccr.case-views"
PACKED = ViewPacker().pack(view_with("one", 1))
MARK = Mark(1, 10, 0, b"the line", TOPIC, 0)


def opened(directory: Path) -> PartitionFile:
    return PartitionFile(directory, TOPIC, 0)


def a_view(offset: int, case_id: str, epoch: int, as_of: int, packed: bytes = PACKED) -> Kept:
    return Kept(offset, case_id.encode(), encode_view(ViewRecord(epoch, as_of, None, packed)))


def a_mark(offset: int, mark: Mark) -> Kept:
    return Kept(offset, MARK_KEY, encode_mark(mark))


@pytest.mark.parametrize("next_at", [None, 0, -5, 1_768_000_000_000_000])
@pytest.mark.parametrize("packed", [None, PACKED])
def test_records_are_read_as_they_were_written(next_at: int | None, packed: bytes | None) -> None:
    record = ViewRecord(2**63, 2**40, next_at, packed)
    assert ViewRecord(*decode_view(encode_view(record))) == record
    assert decode_mark(encode_mark(MARK)) == MARK


@pytest.mark.parametrize("value", [b"", b"\x01", bytes([VERSION + 1]) + b"x" * 60])
def test_other_records_are_not_guessed_at(value: bytes) -> None:
    with pytest.raises(UnknownRecord):
        decode_view(value)
    with pytest.raises(UnknownRecord):
        decode_mark(value)


def test_what_a_later_release_wrote_is_to_be_refolded(tmp_path: Path) -> None:
    file = opened(tmp_path)
    later = bytes([VERSION + 1]) + b"x" * 60
    Following(file).take(
        [
            a_view(0, "one", 1, 5),
            a_view(1, "two", 1, 5, bytes([PACKING + 1]) + PACKED[1:]),
            a_mark(2, MARK),
            Kept(3, b"one", later),
            Kept(4, MARK_KEY, later),
            Kept(5, b"one", None),
            Kept(6, None, later),
        ]
    )
    assert sorted(file.to_refold(9)) == ["one", "two"]
    assert sure(file).offset == 10
    assert file.standing.read_to == 7
    Following(file).take([a_view(7, "one", 2, 11)])
    assert file.to_refold(9) == ["two"]
    file.close()


def test_a_mark_from_before_a_repartition_says_nothing(tmp_path: Path) -> None:
    file = PartitionFile(tmp_path, f"{TOPIC}.g2", 0)
    Following(file).take(
        [a_view(0, "one", 5, 900), a_mark(1, MARK), a_mark(2, MARK._replace(topic=f"{TOPIC}.g2", partition=3))]
    )
    assert sure(file) == (0, 5)
    assert file.find("one") == (None, PACKED)
    file.close()


def test_a_mark_of_another_cluster_makes_the_file_foreign(tmp_path: Path) -> None:
    file = opened(tmp_path)
    Following(file).take([a_mark(0, MARK)])
    with pytest.raises(Foreign):
        Following(file).take([a_view(1, "one", 1, 3), a_mark(2, MARK._replace(line=b"anotherl", epoch=9))])
    assert file.count() == 0
    file.close()


def test_first_owners_that_begin_at_once_do_not_make_it_foreign(tmp_path: Path) -> None:
    file = opened(tmp_path)
    following = Following(file)
    following.take([a_mark(0, MARK)])
    following.take([a_mark(1, MARK._replace(line=b"anotherl", epoch=9))])
    assert file.standing.mark is not None
    assert file.standing.mark.epoch == 9
    file.close()


def test_of_many_owners_the_earliest_count_as_one(tmp_path: Path) -> None:
    file = opened(tmp_path)
    Following(file).take([a_view(epoch, f"case {epoch}", epoch, 100 + epoch) for epoch in range(1, MAX_EPOCHS + 31)])
    seen = file.standing.seen
    assert len(seen) == MAX_EPOCHS
    assert seen[31] == (31, 101)
    assert seen[32] == (32, 132)
    Following(file).take([a_mark(200, MARK._replace(epoch=500, begins=31))])
    assert sure(file) == (10, 500)
    file.close()
