"""The way of batches into the store: in order, again until it takes them, and nothing behind what it did not take."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest

from services.engine.kafka.batches import RecordBatch
from services.monitor.projection import lane as lane_module
from services.monitor.projection import patience
from services.monitor.projection.lane import Lane
from services.monitor.projection.patience import StoreAway
from services.monitor.projection.pieces import Piece, pieces
from services.monitor.projection.records import Unreadable


@dataclass
class Read:
    """A record as it is read from the topic."""

    offset: int
    value: bytes | None = b""
    key: bytes | None = b"case-1"
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass
class Store:
    """Takes offsets, or does not."""

    taken: list[tuple[int, list[int], int]] = field(default_factory=list)
    """(partition, offsets, upto) of each transaction."""
    away: list[str] = field(default_factory=list)
    """Reasons for which it refuses, one after another."""
    bad: set[int] = field(default_factory=set)
    aside: list[int] = field(default_factory=list)

    def bring(self, piece: Piece, left_out: Collection[int]) -> Sequence[Unreadable]:
        if self.away:
            raise StoreAway(self.away.pop(0))
        offsets = [record.offset for record in piece.records if record.offset not in left_out]
        found = [Unreadable(offset, "it cannot be read") for offset in offsets if offset in self.bad]
        if not found:
            self.taken.append((piece.partition, offsets, piece.upto))
        return found

    async def set_aside(self, _: Piece, found: Sequence[Unreadable]) -> None:
        self.aside += [each.offset for each in found]


def batch(first: int, count: int, partition: int = 0) -> RecordBatch:
    return RecordBatch("ccr.links", partition, tuple(Read(first + n) for n in range(count)))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_S", (0.001,))
    monkeypatch.setattr(lane_module, "AT_ONCE", 4)


def a_lane(store: Store, done: list[int]) -> Lane:
    return Lane("links", store.bring, store.set_aside, lambda each: done.append(each.first))


async def test_what_comes_meanwhile_goes_together_and_never_more_than_one_transaction_holds() -> None:
    store, done = Store(), list[int]()
    lane = a_lane(store, done)
    waiting = [lane.put(batch(first, 3)) for first in (0, 3, 6)] + [lane.put(batch(0, 2, partition=1))]
    await asyncio.gather(*waiting)
    await lane.close()
    own = [offsets for partition, offsets, _ in store.taken if partition == 0]
    assert [offset for offsets in own for offset in offsets] == list(range(9))
    assert max(map(len, own)) == 4
    assert (1, [0, 1], 2) in store.taken
    assert sorted(done) == [0, 0, 3, 6]


async def test_a_store_that_is_away_is_asked_again_and_says_why_meanwhile() -> None:
    store = Store(away=["it does not answer", "it does not answer", "its disk is full"])
    lane = a_lane(store, [])
    waiting = asyncio.ensure_future(lane.put(batch(0, 2)))
    while lane.failure is None:
        await asyncio.sleep(0)
    assert lane.oldest_ms(0) == 0
    await waiting
    assert lane.failure is None
    assert lane.oldest_ms(0) is None
    assert store.taken == [(0, [0, 1], 2)]
    await lane.close()


async def test_what_cannot_be_read_is_told_of_first_and_left_out() -> None:
    store = Store(bad={1, 2})
    lane = a_lane(store, [])
    await lane.put(batch(0, 4))
    assert store.aside == [1, 2]
    assert store.taken == [(0, [0, 3], 4)]
    await lane.close()


async def test_behind_a_defect_nothing_is_written() -> None:
    def broken(piece: Piece, _: Collection[int]) -> Sequence[Unreadable]:
        raise ZeroDivisionError

    store = Store()
    lane = Lane("links", broken, store.set_aside, lambda _: None)
    first, second = lane.put(batch(0, 1)), lane.put(batch(1, 1))
    for each in (first, second, lane.put(batch(2, 1))):
        with pytest.raises(ZeroDivisionError):
            await each
    await lane.close()


async def test_what_is_let_go_is_never_done() -> None:
    store, done = Store(away=["it does not answer"] * 1_000_000), list[int]()
    lane = a_lane(store, done)
    waiting = asyncio.ensure_future(lane.put(batch(0, 1)))
    while lane.failure is None:
        await asyncio.sleep(0)
    await lane.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == []


def test_pieces_end_where_reading_goes_on() -> None:
    """Behind compacted records too: what lies between the last record and the end of its batch is nothing."""
    found = [([r.offset for r in piece.records], piece.upto) for piece in pieces([batch(0, 3), batch(3, 2)], 4)]
    assert found == [([0, 1, 2, 3], 4), ([4], 5)]
