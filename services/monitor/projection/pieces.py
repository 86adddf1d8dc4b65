"""Fetched batches as what goes into one transaction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from services.engine.kafka.batches import RecordBatch
from services.engine.kafka.batches.records import Record


@dataclass(frozen=True, slots=True)
class Piece:
    """Records of one partition that go into the database together."""

    topic: str
    partition: int
    records: Sequence[Record]
    upto: int
    """Where reading goes on behind them."""


def pieces(batches: Iterable[RecordBatch], most: int) -> Iterator[Piece]:
    """Batches of one partition, one behind the other, as pieces of at most `most` records."""
    records: list[Record] = []
    upto, told, batch = 0, 0, None
    for batch in batches:
        fetched = iter(batch.records)
        while some := list(islice(fetched, most - len(records))):
            records += some
            upto = some[-1].offset + 1
            if len(records) == most:
                yield Piece(batch.topic, batch.partition, records, upto)
                records, told = [], upto
        upto = batch.end
    if batch is not None and upto > told:
        yield Piece(batch.topic, batch.partition, records, upto)
