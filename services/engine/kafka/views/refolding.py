"""Cases that no record has a view of: their events are read again from `ccr.events` and folded again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from ccr_events.core.view import CaseView
from services.engine.kafka.batches.records import Record
from services.engine.kafka.topics.catalogue import EVENTS
from services.engine.kafka.views.reading import between, bounds

MOST_CASES = 16
"""Refolded in one reading of the partition: each may have `MAX_FACTS_OF_A_CASE` facts, about 25 MB. When there are
more, the whole partition is folded again instead, in the usual way."""

FoldAgain = Callable[[CaseView, Record], CaseView]
"""The view with one more record of `ccr.events` folded, and nothing sent of what follows: it was sent the first time.
For a record that went to quarantine: the view as it was."""


@dataclass(frozen=True, slots=True)
class Refolding:
    """How a case is folded again."""

    fold: FoldAgain
    topic: str = EVENTS
    """In the generation in force."""


async def refolded(
    consumer: AIOKafkaConsumer, refolding: Refolding, partition: int, case_ids: Collection[str], end: int
) -> list[CaseView]:
    """The views of these cases after all input before `end`. Reads the whole partition. Raises `KafkaError`."""
    views = {case_id.encode(): CaseView(case_id) for case_id in case_ids}
    part = TopicPartition(refolding.topic, partition)
    first, _ = await bounds(consumer, part)
    async for page in between(consumer, part, first, end):
        for record in page:
            if record.key in views and record.offset < end:
                views[record.key] = refolding.fold(views[record.key], record)
    return list(views.values())
