"""How far a partition is done: the sum of what was handed out and what was acknowledged. Pure.

A span is one batch, from its first record's offset to behind its last one's. Spans are handed out in the order of the
log and acknowledged in any. The position is the end of the longest prefix of acknowledged spans, so nothing that
is still being worked on is ever behind it; what lies between two spans holds no record (compacted, aborted, control).

Acknowledgement is asked of the very message that was handed out, not looked up by offset: after a rebalance the same
offset may begin a longer batch, and a late acknowledgement of the shorter one must not count for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol


class Acknowledged(Protocol):
    """A message that knows whether it was acknowledged (`faust.types.tuples.Message`)."""

    acked: bool


@dataclass(frozen=True, slots=True)
class Span:
    """One batch that was handed out."""

    first: int
    end: int
    message: Acknowledged


class Spans:
    """Those of one partition that are not done yet, oldest first."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[Span] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def hand_out(self, first: int, end: int, message: Acknowledged) -> None:
        """Remember a batch. Raises `ValueError` when it is empty or begins before the end of the one before."""
        before = self._waiting[-1].end if self._waiting else first
        if end <= first or first < before:
            raise ValueError(f"the batch [{first}, {end}) is empty, or does not follow what was handed out to {before}")
        self._waiting.append(Span(first, end, message))

    def done_to(self) -> int | None:
        """The new position, and forget what is before it; None when nothing more is done."""
        end = None
        while self._waiting and self._waiting[0].message.acked:
            end = self._waiting.popleft().end
        return end
