"""A record batch read by hand: whatever its headers are called, and what is kept when it cannot be read at all."""

from __future__ import annotations

from struct import pack_into

import crc32c
import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from services.intake.inbound.closely import Damaged, Plain, batch_of

BASE = 40
ABORTED = 7
"""A producer."""
Written = tuple[bytes | None, list[tuple[str, bytes | None]]]


def a_batch(*records: Written, codec: int = 0, transactional: bool = False, spoiled: bytes = b"") -> bytes:
    """As it lies on a topic from `BASE` on; `spoiled`: bytes that become such as are no UTF-8."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=transactional,
        producer_id=ABORTED,
        producer_epoch=0,
        base_sequence=0,
        batch_size=1_000_000,
    )
    for number, (value, headers) in enumerate(records):
        builder.append(number, 1_000 + number, b"key", value, headers)
    made = bytearray(builder.build())
    if spoiled:
        made = made.replace(spoiled, b"\xff" * len(spoiled))
    pack_into(">q", made, 0, BASE)
    made[22] |= codec
    pack_into(">I", made, 17, crc32c.crc32c(bytes(made[21:])))
    return bytes(made)


@given(
    st.lists(
        st.tuples(
            st.none() | st.binary(max_size=300),
            st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=3),
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 4),
)
def test_records_are_read_as_they_were_written_from_an_offset_on(records: list[Written], begin: int) -> None:
    fetched = a_batch(*records) + b"the next batch"
    found = batch_of(fetched, BASE + begin, ())
    written = [Plain(BASE + n, value, tuple(headers)) for n, (value, headers) in enumerate(records)]
    assert (found.records, found.end, found.why) == (tuple(written[begin:]), BASE + len(records), None)


def test_a_header_whose_name_is_no_text_costs_no_record() -> None:
    batch = a_batch((b"one", []), (b"two", [("SPOILED", b"x"), ("alerting", b"0")]), (b"three", []), spoiled=b"SPOILED")
    found = batch_of(batch, BASE, ())
    assert [each.value for each in found.records] == [b"one", b"two", b"three"]
    assert found.records[1].headers[1:] == (("alerting", b"0"),)


@pytest.mark.parametrize(("codec", "name"), [(1, "gzip"), (2, "snappy"), (3, "lz4"), (4, "zstd"), (5, "unknown")])
def test_what_is_compressed_is_told_and_kept_whole(codec: int, name: str) -> None:
    batch = a_batch((b"one", []), (b"two", []), codec=codec)
    found = batch_of(batch + b"the next batch", BASE, ())
    assert (found.first, found.end, found.records, found.raw) == (BASE, BASE + 2, (), batch)
    assert name in str(found.why)


def test_what_is_not_formed_as_it_says_is_kept_whole_and_not_quoted() -> None:
    batch = bytearray(a_batch((b"1 Nowhere Lane", [])))
    batch[batch.index(b"1 Nowhere") - 1] += 40  # its value is longer than the record
    pack_into(">I", batch, 17, crc32c.crc32c(bytes(batch[21:])))
    found = batch_of(bytes(batch), BASE, ())
    assert (found.records, found.end, found.raw) == ((), BASE + 1, bytes(batch))
    assert "Nowhere" not in f"{found!r} {found.why}"


def test_what_a_transaction_took_back_is_not_read() -> None:
    batch = a_batch((b"one", []), transactional=True)
    assert batch_of(batch, BASE, [(ABORTED, BASE - 1)]).records == ()
    for others in ([], [(ABORTED + 1, BASE - 1)], [(ABORTED, BASE + 5)]):
        assert [each.value for each in batch_of(batch, BASE, others).records] == [b"one"]


def test_what_is_damaged_is_not_believed() -> None:
    batch = bytearray(a_batch((b"one", [])))
    batch[-1] ^= 1
    with pytest.raises(Damaged, match="from offset 40 on are damaged"):
        batch_of(bytes(batch), BASE, ())
