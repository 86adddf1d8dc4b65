"""A deadline fires once everything that Kafka had when it passed is folded, and after an outage not at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from aiokafka.errors import KafkaConnectionError

from services.casebook.reached import AFTER_OUTAGE_S, Reached
from tests.support.core_rules import T0

LATER = T0 + timedelta(minutes=1)


class Kafka:
    """Ends of partitions, while it answers."""

    def __init__(self, **ends: int) -> None:
        self.ends = {int(name[1:]): end for name, end in ends.items()}
        self.answers = True
        self.asked: list[list[int]] = []

    async def __call__(self, numbers: Collection[int]) -> Mapping[int, int]:
        if not self.answers:
            raise KafkaConnectionError("away")
        self.asked.append(sorted(numbers))
        return {number: self.ends[number] for number in numbers}


async def test_it_waits_for_what_stood_on_the_topic_and_not_for_what_came_since() -> None:
    kafka, folded, reached = Kafka(p0=7, p1=3), {0: 5, 1: 3}, Reached()
    assert await reached.passed([0, 1], T0, 0.0, kafka, folded.get) == [(1, T0)]
    kafka.ends[0] = 9
    assert await reached.passed([0], LATER, 60.0, kafka, folded.get) == []
    folded[0] = 7
    assert await reached.passed([0], LATER, 60.0, kafka, folded.get) == [(0, T0)]
    assert kafka.asked == [[0, 1]]
    assert await reached.passed([0], LATER, 60.0, kafka, folded.get) == []
    assert kafka.asked == [[0, 1], [0]]


async def test_a_partition_that_went_to_another_worker_is_forgotten() -> None:
    kafka, folded, reached = Kafka(p0=7), {0: 5}, Reached()
    assert await reached.passed([0], T0, 0.0, kafka, folded.get) == []
    folded.clear()
    assert await reached.passed([], T0, 1.0, kafka, folded.get) == []
    folded[0] = 8
    assert await reached.passed([], T0, 2.0, kafka, folded.get) == []


async def test_after_an_outage_what_intake_could_not_send_comes_first() -> None:
    kafka, folded, reached = Kafka(p0=7), {0: 7}, Reached()
    kafka.answers = False
    assert await reached.passed([0], T0, 100.0, kafka, folded.get) == []
    kafka.answers = True
    assert await reached.passed([0], LATER, 99.9 + AFTER_OUTAGE_S, kafka, folded.get) == []
    assert kafka.asked == []
    kafka.ends[0] = 8  # an act, recorded before the deadline and sent now
    assert await reached.passed([0], LATER, 100.0 + AFTER_OUTAGE_S, kafka, folded.get) == []
    folded[0] = 8
    assert await reached.passed([0], LATER, 101.0 + AFTER_OUTAGE_S, kafka, folded.get) == [(0, LATER)]


async def test_an_end_that_was_asked_for_before_an_outage_does_not_count_after_it() -> None:
    kafka, folded, reached = Kafka(p0=7), {0: 6}, Reached()
    assert await reached.passed([0], T0, 0.0, kafka, folded.get) == []
    reached.away(1.0)
    kafka.ends[0] = folded[0] = 8
    assert await reached.passed([0], LATER, 2.0, kafka, folded.get) == []
    assert await reached.passed([0], LATER, 1.0 + AFTER_OUTAGE_S, kafka, folded.get) == [(0, LATER)]
