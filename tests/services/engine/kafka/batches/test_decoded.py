"""Records as aiokafka's decoder has them, for batch topics of our consumer alone."""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import ConsumerRecord

from services.engine.kafka.batches import Output
from services.engine.kafka.batches.decoded import AsDecoded, install
from services.engine.kafka.batches.outputs import built

BATCHED = TopicPartition("batched", 0)
SINGLE = TopicPartition("single", 0)


def read(tp: TopicPartition, deserializer: Any) -> list[Any]:
    outputs = [Output("t", b"k%d" % n, b"v%d" % n, 1_770_000_000_000 + n, [("id", b"%d" % n)]) for n in range(3)]
    (builder,), _ = built([*outputs, Output("t", None, None)], 10_000)
    given = (tp, MemoryRecords(bytes(builder._build())), [], 0, deserializer, None, True, fetcher.READ_COMMITTED)
    return list(fetcher.PartitionRecords(*given))


def told(records: list[Any]) -> list[tuple[Any, ...]]:
    return [(r.offset, r.key, r.value, tuple(r.headers)) for r in records]


def test_a_batch_topics_records_say_the_same_as_copies_of_them() -> None:
    install()
    plain, light = read(BATCHED, None), read(BATCHED, AsDecoded({"batched"}))
    assert told(light) == told(plain)
    assert (
        [r.timestamp for r in light[:3]]
        == [r.timestamp for r in plain[:3]]
        == [1_770_000_000_000 + n for n in range(3)]
    )
    assert all(isinstance(record, ConsumerRecord) for record in plain)
    assert not any(isinstance(record, ConsumerRecord) for record in light)


def test_other_topics_and_other_consumers_get_what_they_always_got() -> None:
    install()
    assert all(isinstance(record, ConsumerRecord) for record in read(SINGLE, AsDecoded({"batched"})))
    assert all(isinstance(record, ConsumerRecord) for record in read(BATCHED, lambda key: key))
    assert told(read(SINGLE, AsDecoded({"batched"}))) == told(read(SINGLE, None))


def test_installed_twice_is_installed_once() -> None:
    install()
    once = fetcher.PartitionRecords
    install()
    assert fetcher.PartitionRecords is once
