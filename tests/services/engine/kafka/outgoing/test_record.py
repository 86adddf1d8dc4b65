"""An event as a record: where it lies, what it says, and how large it may be."""

from __future__ import annotations

import json

import orjson
import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from ccr_events.core.model import Fact
from services.engine.kafka.outgoing import check_size, event_record, partition_of
from services.engine.kafka.topics.catalogue import MAX_EVENT_RECORD_BYTES
from services.engine.transaction import NewRecord, RecordTooLarge
from tests.support.doors import T0


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


def new_record(size: int, **data: object) -> NewRecord:
    fact = Fact("id", "arrest.made", "le", "case", T0, T0, "e1", data)
    return NewRecord(fact, b"x" * size, b"", alerting=False)


def test_a_record_is_taken_when_its_batch_is_within_the_topics_limit() -> None:
    check_size(new_record(MAX_EVENT_RECORD_BYTES - 200))
    with pytest.raises(RecordTooLarge, match="too large for the log"):
        check_size(new_record(MAX_EVENT_RECORD_BYTES - 60))


def test_one_that_no_merge_could_carry_is_refused_although_it_could_be_sent() -> None:
    text = "é" * 600_000
    body = len(orjson.dumps({"text": text}))
    assert body < MAX_EVENT_RECORD_BYTES / 2
    with pytest.raises(RecordTooLarge):
        check_size(new_record(body, text=text))
    check_size(new_record(body, text="e" * 1_200_000))


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=5))
def test_what_is_small_can_be_carried_whatever_it_says(data: dict[str, str]) -> None:
    inner = orjson.dumps(data)
    assert len(orjson.dumps(json.dumps(data))) <= 16 * len(inner)


def test_nothing_of_the_event_is_shown() -> None:
    assert "Testperson" not in repr(event_record("case", b'{"name": "Testperson"}', alerting=True))
