"""What is handed out of a fetch is what aiokafka itself would hand out, whatever is in it and wherever it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from services.engine.kafka.batches.fetched import Together, install
from services.engine.kafka.batches.records import FetchedRecords, RecordBatch

BATCHED = TopicPartition("batched", 0)
SINGLE = TopicPartition("single", 0)
WHEN_MS = 1_770_000_000_000
GZIP = 1
ABORT, COMMIT = b"\x00\x00\x00\x00", b"\x00\x00\x00\x01"
_CONTROL = 0x20


@dataclass(frozen=True)
class Written:
    """A record batch of a log."""

    offsets: tuple[int, ...]
    """Counted from its base offset."""
    producer: int = -1
    transactional: bool = False
    compressed: bool = False
    mark: bytes = b""
    """The broker's own word on how a transaction ended."""
    compacted: int = 0
    """Offsets behind the last record whose records are gone."""


def packed(batch: Written, base: int) -> bytes:
    """As it lies on the broker's disk."""
    builder = DefaultRecordBatchBuilder(
        2, GZIP if batch.compressed else 0, batch.transactional, batch.producer, 0, 0, 1_000_000
    )
    for offset in batch.offsets:
        key = batch.mark or (b"k%d" % (base + offset) if offset % 3 else None)
        builder.append(offset, WHEN_MS + base + offset, key, b"v%d" % (base + offset), [("id", b"%d" % offset)])
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")
    attributes = int.from_bytes(raw[21:23], "big") | (_CONTROL if batch.mark else 0)
    raw[21:23] = attributes.to_bytes(2, "big")
    last = max(batch.offsets, default=0) + batch.compacted
    raw[23:27] = last.to_bytes(4, "big")
    raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def log(batches: list[Written], start: int = 0) -> bytes:
    """What a broker answers to a fetch: whole record batches, from the one that holds the offset asked for."""
    raw, base = b"", 0
    for batch in batches:
        end = base + max(batch.offsets, default=0) + batch.compacted + 1
        raw += packed(batch, base) if end > start else b""
        base = end
    return raw


def read(raw: bytes, tp: Any, deserializer: Any, *, start: int = 0, aborted: Any = (), isolated: bool = True) -> Any:
    """aiokafka's reader of a fetch; what it has read, and where it stands then."""
    install()
    level = fetcher.READ_COMMITTED if isolated else fetcher.READ_UNCOMMITTED
    records = fetcher.MemoryRecords(raw)
    reader = fetcher.PartitionRecords(tp, records, list(aborted), start, deserializer, None, True, level)
    return list(reader), reader.next_fetch_offset


def told(records: Any) -> list[tuple[Any, ...]]:
    return [(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Written], list[tuple[int, int]]]:
    """Record batches of two producers with and without transactions, and the transactions that were aborted."""
    batches: list[Written] = []
    aborted: list[tuple[int, int]] = []
    open_since: dict[int, int] = {}
    base = 0
    for _ in range(draw(st.integers(1, 8))):
        producer = draw(st.sampled_from([-1, 7, 8]))
        transactional = producer >= 0 and draw(st.booleans())
        if producer in open_since and draw(st.booleans()):
            failed = draw(st.booleans())
            if failed:
                aborted.append((producer, open_since[producer]))
            del open_since[producer]
            batch = Written((0,), producer, transactional=True, mark=ABORT if failed else COMMIT)
        else:
            offsets = tuple(sorted(draw(st.sets(st.integers(0, 6), max_size=5))))
            compacted = draw(st.integers(0, 2))
            batch = Written(offsets, producer, transactional, draw(st.booleans()) and bool(offsets), b"", compacted)
            if transactional:
                open_since.setdefault(producer, base)
        batches.append(batch)
        base += max(batch.offsets, default=0) + batch.compacted + 1
    # One that never ended is not in what a broker sends to a reader of committed records.
    aborted += list(open_since.items())
    return batches, aborted


@given(logs(), st.integers(0, 30), st.booleans())
def test_the_same_records_as_aiokafka_hands_out(
    made: tuple[list[Written], list[tuple[int, int]]], start: int, isolated: bool
) -> None:
    batches, aborted = made
    raw = log(batches, start)
    plain, stands_at = read(raw, BATCHED, None, start=start, aborted=aborted, isolated=isolated)
    found, ours = read(raw, BATCHED, Together({"batched"}), start=start, aborted=aborted, isolated=isolated)
    assert len(found) == (1 if plain else 0)
    assert told(record for each in found for record in each) == told(plain)
    assert ours == stands_at
    for each in found:
        assert start <= each.first <= plain[0].offset
        assert plain[-1].offset < each.end == ours
        assert each.newest_ms == max(record.timestamp for record in plain)
        assert len(each) == len(plain)
        assert told(each) == told(plain), "a second time"
        assert told([each[0]]) == told(plain[:1])
        assert told([each[-1]]) == told(plain[-1:])
        assert told(each[1:3]) == told(plain[1:3])
        assert told(each) == told(plain), "when they are kept"


@given(logs(), st.integers(0, 20), st.integers(1, 5))
def test_no_more_at_once_than_was_asked_and_reading_goes_on_where_each_ends(
    made: tuple[list[Written], list[tuple[int, int]]], start: int, most: int
) -> None:
    batches, aborted = made
    raw = log(batches, start)
    plain, _ = read(raw, BATCHED, None, start=start, aborted=aborted)
    install()
    given = (BATCHED, fetcher.MemoryRecords(raw), list(aborted), start, Together({"batched"}, most), None, True)
    reader = fetcher.PartitionRecords(*given, fetcher.READ_COMMITTED)
    found: list[FetchedRecords] = []
    at = start
    for each in reader:
        assert 0 < len(each) <= most
        assert at <= each.first == each[0].offset or len(each) == len(plain)
        assert each.end == reader.next_fetch_offset > at
        at = each.end
        found.append(each)
    assert told(record for each in found for record in each) == told(plain)
    assert reader.next_fetch_offset == read(raw, BATCHED, Together({"batched"}), start=start, aborted=aborted)[1]


def test_a_wrong_checksum_hands_out_nothing_and_reading_stays() -> None:
    raw = bytearray(log([Written((0, 1)), Written((0, 1))]))
    raw[-1] ^= 1
    install()
    given = (BATCHED, fetcher.MemoryRecords(bytes(raw)), [], 0, Together({"batched"}), None)
    reader = fetcher.PartitionRecords(*given, True, fetcher.READ_COMMITTED)
    with pytest.raises(CorruptRecordException, match="wrong checksum"):
        next(reader)
    assert reader.next_fetch_offset == 0
    unchecked = fetcher.PartitionRecords(
        BATCHED, fetcher.MemoryRecords(bytes(raw)), [], 0, Together({"batched"}), None, False, fetcher.READ_COMMITTED
    )
    assert len(next(unchecked)) == 4


def test_a_record_batch_of_an_old_format_is_read_too() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 10_000)
    builder.append(0, timestamp=WHEN_MS, key=b"k", value=b"v")
    raw = bytes(builder.build())
    (found,), stands_at = read(raw, BATCHED, Together({"batched"}))
    assert (found.first, found.end, len(found), found.newest_ms, stands_at) == (0, 1, 1, WHEN_MS, 1)
    assert (found[0].key, found[0].value) == (b"k", b"v")


def test_where_a_batch_begins_and_ends_is_known_without_decoding() -> None:
    raw = log([Written((2, 3), compacted=2), Written((0,), 7, transactional=True, mark=COMMIT)])
    (found,), _ = read(raw, BATCHED, Together({"batched"}))
    batch = RecordBatch("batched", 0, found)
    assert (batch.first, batch.end) == (0, 7)
    listed = RecordBatch("batched", 0, list(found))
    assert (listed.first, listed.end) == (2, 4)
    assert "v2" not in repr(batch) + repr(listed)


def test_other_topics_and_other_consumers_get_what_they_always_got() -> None:
    raw = log([Written((0, 1, 2))])
    for tp, deserializer in ((SINGLE, Together({"batched"})), (BATCHED, lambda key: key), (BATCHED, None)):
        found, stands_at = read(raw, tp, deserializer)
        assert all(isinstance(record, ConsumerRecord) for record in found)
        assert (len(found), stands_at) == (3, 3)


def test_installed_twice_is_installed_once() -> None:
    install()
    once = fetcher.PartitionRecords, fetcher.MemoryRecords
    install()
    assert (fetcher.PartitionRecords, fetcher.MemoryRecords) == once
    assert issubclass(fetcher.MemoryRecords, MemoryRecords)
