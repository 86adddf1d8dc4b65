"""How far a partition is done: laws, and stock Faust as the reference."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.consumer import Consumer as StockConsumer
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st
from intervaltree import IntervalTree

from services.engine.kafka.batches.spans import Spans

PARTITION = TP("ccr.events", 0)


@dataclass
class Message:
    acked: bool = False


@st.composite
def batches(draw: st.DrawFn) -> list[list[int]]:
    """Offsets of records, fetched in batches; between any two there may be a gap (compacted, aborted)."""
    offset = draw(st.integers(1, 5))
    found = []
    for _ in range(draw(st.integers(1, 12))):
        batch = []
        for _ in range(draw(st.integers(1, 6))):
            offset += draw(st.sampled_from([0, 0, 0, 1, 3]))
            batch.append(offset)
            offset += 1
        found.append(batch)
    return found


class Stock:
    """Stock Faust's own bookkeeping, driven record by record as its fetcher and its streams drive it."""

    def __init__(self, committed: int) -> None:
        self.consumer: Any = SimpleNamespace(
            _acked=defaultdict(list),
            _acked_index=defaultdict(set),
            _gap=defaultdict(IntervalTree),
            _committed_offset=defaultdict(lambda: None),
        )
        self.consumer._committed_offset[PARTITION] = committed
        self.read = committed

    async def fetched(self, offset: int) -> None:
        if self.read and offset - self.read > 1:
            await StockConsumer._add_gap(self.consumer, PARTITION, self.read + 1, offset)
        self.read = offset

    def acknowledged(self, offset: int) -> None:
        self.consumer._acked[PARTITION].append(offset)
        self.consumer._acked_index[PARTITION].add(offset)

    def position(self) -> int | None:
        found = StockConsumer._new_offset(self.consumer, PARTITION)
        if found is not None:
            self.consumer._committed_offset[PARTITION] = found
        return found


def after(offset: int, records: list[int]) -> list[int]:
    """The records that would be read again from there."""
    return [each for each in records if each >= offset]


@given(batches(), st.data())
async def test_reads_on_where_stock_faust_would(fetched: list[list[int]], data: st.DataObject) -> None:
    """Committed at any time while batches are done one after another: the same records are read again after a crash.

    In order only: out of order, stock Faust may commit behind a first record that is not done (a test below).
    """
    records = [offset for batch in fetched for offset in batch]
    whole = records[-1] - records[0] + 1 == len(records)
    stock, spans = Stock(records[0]), Spans()
    ours = theirs = records[0]
    for batch in fetched:
        message = Message()
        spans.hand_out(batch[0], batch[-1] + 1, message)
        for offset in batch:
            await stock.fetched(offset)
            stock.acknowledged(offset)
        message.acked = True
        if data.draw(st.booleans()):
            ours = spans.done_to() or ours
            theirs = stock.position() or theirs
            if whole:
                assert after(ours, records) == after(theirs, records)
            else:
                # Stock Faust counts the record after a gap twice, and so commits it only with the next.
                assert ours >= theirs
            assert after(ours, records) == after(batch[-1] + 1, records)
    assert (spans.done_to() or ours) == records[-1] + 1


@given(batches(), st.data())
def test_never_behind_a_record_that_is_not_done(fetched: list[list[int]], data: st.DataObject) -> None:
    spans, messages, position = Spans(), [], 0
    for batch in fetched:
        messages.append(Message())
        spans.hand_out(batch[0], batch[-1] + 1, messages[-1])
        for message in messages:
            message.acked = message.acked or data.draw(st.booleans())
        position = max(position, spans.done_to() or 0)
        for each, message in zip(fetched, messages, strict=False):
            assert message.acked or each[0] >= position


async def test_a_first_record_that_is_not_done_holds_everything_where_stock_faust_would_lose_it() -> None:
    stock, spans, head, next_one = Stock(5), Spans(), Message(), Message(acked=True)
    spans.hand_out(5, 6, head)
    spans.hand_out(6, 7, next_one)
    await stock.fetched(5)
    await stock.fetched(6)
    stock.acknowledged(6)
    assert stock.position() == 7, "stock Faust still has the fault; if not, this reason for an own position is gone"
    assert spans.done_to() is None


def test_nothing_new_is_no_position() -> None:
    spans, message = Spans(), Message()
    assert spans.done_to() is None
    spans.hand_out(5, 9, message)
    assert spans.done_to() is None
    message.acked = True
    assert spans.done_to() == 9
    assert spans.done_to() is None
    assert len(spans) == 0


def test_a_late_acknowledgement_does_not_count_for_a_longer_batch_from_the_same_offset() -> None:
    old, new, spans = Message(), Message(), Spans()
    spans.hand_out(10, 20, old)
    spans = Spans()
    spans.hand_out(10, 35, new)
    old.acked = True
    assert spans.done_to() is None
    new.acked = True
    assert spans.done_to() == 35


@pytest.mark.parametrize(("first", "end"), [(5, 5), (7, 6), (11, 14), (0, 4)])
def test_spans_follow_one_another(first: int, end: int) -> None:
    spans = Spans()
    spans.hand_out(10, 12, Message())
    with pytest.raises(ValueError, match="does not follow"):
        spans.hand_out(first, end, Message())
