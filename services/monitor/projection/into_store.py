"""Into the SQL store: the log gets what the casebook's workers appended, the outbox what is to be told, the links."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from services.engine.sql import Consumed, Projection
from services.engine.transaction import StorageFailed
from services.monitor.projection.patience import StoreAway
from services.monitor.projection.pieces import Piece
from services.monitor.projection.records import Unreadable, read_events, read_said


@dataclass(frozen=True, slots=True)
class IntoStore:
    """Synchronous, from any thread. What was brought already changes nothing. Raises `StoreAway`."""

    projection: Projection
    told: Callable[[int], None] = lambda count: None
    """Called with how many transitions were new."""

    def position(self, topic: str, partition: int) -> int:
        """The first offset that is not in the store: where to read on."""
        with _away():
            return self.projection.position(topic, partition)

    def events(self, piece: Piece, left_out: Collection[int]) -> Sequence[Unreadable]:
        """Bring in records of `ccr.events`, but for these offsets; when others cannot be read, they are returned and
        nothing is written."""
        read = read_events(record for record in piece.records if record.offset not in left_out)
        if not read.unreadable:
            consumed = [Consumed(event.offset, event.body, event.alerting) for event in read.readable]
            with _away():
                self.projection.project_events(consumed, topic=piece.topic, partition=piece.partition, upto=piece.upto)
        return read.unreadable

    def links(self, piece: Piece, left_out: Collection[int]) -> Sequence[Unreadable]:
        """The same of `ccr.links`."""
        read = read_said(record for record in piece.records if record.offset not in left_out)
        if not read.unreadable:
            with _away():
                new = self.projection.project_transitions(
                    read.readable, topic=piece.topic, partition=piece.partition, upto=piece.upto
                )
            self.told(len(new))
        return read.unreadable


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except StorageFailed as failed:
        raise StoreAway(str(failed)) from failed
