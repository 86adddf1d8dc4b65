"""A store and a Kafka that do not belong together: what the store believes to have brought would be left out, and what
it accepts would go where nobody looks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

P = TypeVar("P", bound=tuple[str, int])
_WHAT_TO_DO = (
    "If this store belongs to another Kafka, give the right one (--store, --bootstrap); if Kafka lost its data, put "
    "that back, or begin with a new store"
)


class StoreAhead(RuntimeError):
    """Store and Kafka do not belong together; says in what, and what to do."""


def require_behind(positions: Mapping[P, int], ends: Mapping[P, int]) -> None:
    """Raise `StoreAhead` when a position of the store, asked first, lies beyond the end of its partition.

    Both by (topic, partition): how far the store was brought, and the offset behind the newest record.
    """
    for place, end in ends.items():
        if positions[place] > end:
            topic, partition = place
            raise StoreAhead(
                f"{topic}, partition {partition}: it ends at {end}, the store was brought to {positions[place]}. "
                f"Nobody would be alerted of what comes. {_WHAT_TO_DO}"
            )


def require_sent(sent: int, ends: Mapping[tuple[str, int], int]) -> None:
    """Raise `StoreAhead` when the store holds more events that were sent than there are records on all partitions."""
    there = sum(ends.values())
    if sent > there:
        raise StoreAhead(f"the store holds {sent:,} events that were sent, and Kafka holds {there:,}. {_WHAT_TO_DO}")
