"""How fast one API key may publish: a token bucket per key, in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

MAX_KEYS = 10_000
"""Buckets kept; only authenticated keys get one. When there are more, all begin anew."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A sustained rate and what may come at once. One request or one event is one token."""

    per_second: float = 5_000.0
    burst: float = 20_000.0


class Buckets:
    """The buckets of all keys."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        """`clock` gives monotonic seconds."""
        self._rate = rate
        self._clock = clock
        self._filled: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, tokens: float = 1.0) -> float:
        """Take tokens; returns 0.0, or how many seconds to wait when there are too few (then none are taken).

        More than a whole burst can never be there at once: such a request costs all of it.
        """
        now = self._clock()
        if len(self._filled) >= MAX_KEYS:
            self._filled.clear()
        level, since = self._filled.get(key_id, (self._rate.burst, now))
        level = min(self._rate.burst, level + (now - since) * self._rate.per_second)
        cost = min(tokens, self._rate.burst)
        if level < cost:
            self._filled[key_id] = (level, now)
            return (cost - level) / self._rate.per_second
        self._filled[key_id] = (level - cost, now)
        return 0.0
