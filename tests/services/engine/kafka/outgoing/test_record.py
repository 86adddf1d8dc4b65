"""An event as a record: where it lies, what it says, and how large it may be."""

from __future__ import annotations

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from services.engine.kafka.outgoing import event_record, fits, partition_of
from services.engine.kafka.topics.catalogue import MAX_RECORD_BYTES


@pytest.mark.parametrize(
    ("key", "hashed"),
    # Vectors of Apache Kafka's own UtilsTest.testMurmur2.
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_partition_is_that_of_javas_client(key: bytes, hashed: int) -> None:
    assert partition_of(key, 12) == (hashed & 0x7FFFFFFF) % 12


@given(st.binary(min_size=1, max_size=64), st.integers(1, 1024))
def test_the_partition_is_that_of_aiokafkas_default(key: bytes, partitions: int) -> None:
    everyone = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everyone, everyone)


def test_only_history_says_that_it_does_not_alert() -> None:
    assert event_record("case-é", b"{}", alerting=True).headers == ()
    silent = event_record("case-é", b"{}", alerting=False)
    assert silent.headers == (("alerting", b"0"),)
    assert silent.key == "case-é".encode()


def test_a_record_fits_when_its_batch_does() -> None:
    assert fits(event_record("case", b"x" * (MAX_RECORD_BYTES - 200), alerting=False))
    assert not fits(event_record("case", b"x" * (MAX_RECORD_BYTES - 60), alerting=False))


def test_nothing_of_the_event_is_shown() -> None:
    assert "Testperson" not in repr(event_record("case", b'{"name": "Testperson"}', alerting=True))
