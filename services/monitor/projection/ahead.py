"""A store that was brought further than its topics go: records at offsets it believes to know would be left out."""

from __future__ import annotations

from collections.abc import Mapping

from faust.types import TP


class StoreAhead(RuntimeError):
    """Store and Kafka do not belong together; says which partition, and what to do."""


def require_behind(positions: Mapping[TP, int], ends: Mapping[TP, int]) -> None:
    """Raise `StoreAhead` when a position of the store, asked first, lies beyond the end of its partition."""
    for tp, end in ends.items():
        if positions[tp] > end:
            raise StoreAhead(
                f"{tp.topic}, partition {tp.partition}: it ends at {end}, the store was brought to {positions[tp]}. "
                "Nobody would be alerted of what comes. If this store belongs to another Kafka, give the right one "
                "(--store, --bootstrap); if Kafka lost its data, put that back, or begin with a new store"
            )
