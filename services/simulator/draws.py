"""Draws from a seed that are the same on every Python and every machine.

Only `random.Random(...).random()` and exact arithmetic are used: no logarithm, whose last digit depends on the
machine's library, and none of `random`'s other methods, which may change between versions.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Delay:
    """How long something takes, in seconds: half the time up to `half`, nine times of ten up to `most`, never longer
    than `worst`; even in between."""

    half: float
    most: float
    worst: float

    def scaled(self, by: float) -> Delay:
        """So many times as long."""
        return Delay(self.half * by, self.most * by, self.worst * by)


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """Values with their shares."""

    values: tuple[T, ...]
    bounds: tuple[float, ...]


def shares(parts: Sequence[tuple[T, float]]) -> Choice[T]:
    """A choice from (value, share) pairs; shares need not add up to one."""
    total = sum(share for _, share in parts)
    bounds = tuple(accumulate(share / total for _, share in parts))
    return Choice(tuple(value for value, _ in parts), bounds[:-1])


class Draws:
    """One stream of draws."""

    __slots__ = ("random",)

    def __init__(self, *seed: object) -> None:
        """`seed`: what the stream hangs on; any text or number."""
        text = "\x1f".join(str(part) for part in seed)
        self.random = Random(int.from_bytes(sha256(text.encode()).digest()[:16], "big")).random  # noqa: S311  # a simulation

    def chance(self, share: float) -> bool:
        """True in `share` of the draws."""
        return self.random() < share

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.random() * (high - low + 1))

    def one(self, values: Sequence[T]) -> T:
        """One of the values, all alike."""
        return values[int(self.random() * len(values))]

    def pick(self, choice: Choice[T]) -> T:
        """One of the values, by their shares."""
        return choice.values[bisect(choice.bounds, self.random())]

    def seconds(self, delay: Delay) -> int:
        """A duration in whole seconds."""
        u = self.random()
        if u < 0.5:
            return int(delay.half * (u * 2))
        if u < 0.9:
            return int(delay.half + (delay.most - delay.half) * ((u - 0.5) * 2.5))
        return int(delay.most + (delay.worst - delay.most) * ((u - 0.9) * 10))

    def waiting(self) -> float:
        """An exponential duration of mean 1, by comparisons alone (von Neumann 1951)."""
        whole = 0
        while True:
            first = last = self.random()
            falls = 1
            while (following := self.random()) < last:
                last = following
                falls += 1
            if falls % 2:
                return whole + first
            whole += 1
