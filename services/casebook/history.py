"""What was recorded, case by case, for who judges it: in the data directory of one process, or the workers' store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

EVENTS_A_PART = 2_000
"""About how many events one part of a job has."""


class Extent(Protocol):
    """How much there is to go through."""

    @property
    def cases(self) -> int:
        """Largest case number."""

    @property
    def events(self) -> int:
        """Of all cases."""


class History(Protocol):
    """One state of it."""

    def bound(self) -> Extent:
        """How much there is now."""

    def facts(self, first: int, last: int) -> Iterator[tuple[str, list[bytes]]]:
        """(case id, its events in log form, oldest position first) of the cases with these numbers, in their order."""

    def facts_of(self, case_id: str) -> list[bytes]:
        """The same of one case; empty when there is none."""

    def cases_named(self, name: str, limit: int) -> list[str]:
        """Cases whose id begins with `name`, or that a number `name` points to; at most `limit`."""


def extent(opened: Callable[[], AbstractContextManager[History]]) -> Extent:
    """How much there is now in what this opens."""
    with opened() as stored:
        return stored.bound()


def parts(bound: Extent) -> Iterator[tuple[int, int]]:
    """(first, last) case number of each part of a job over all cases."""
    size = max(1, EVENTS_A_PART * bound.cases // max(1, bound.events))
    for first in range(1, bound.cases + 1, size):
        yield first, min(first + size - 1, bound.cases)
