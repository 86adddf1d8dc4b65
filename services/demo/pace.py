"""How a week fits into a minute: every act of the script gets the same share of the playing time.

Quiet nights pass quickly and a busy hour takes its time, so a person can follow. Between two acts the clock moves
evenly; after the last it goes on as the wall clock does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta


class Pace:
    """The script's time as a function of the seconds played."""

    def __init__(self, instants: Sequence[datetime], seconds: float) -> None:
        """`instants`: aware, ascending, at least two; `seconds` > 0 is how long playing them takes."""
        if len(instants) < 2 or seconds <= 0:
            raise ValueError("a pace needs two instants or more and a positive playing time")
        self._instants = instants
        self._share_s = seconds / (len(instants) - 1)
        self.seconds = seconds

    def at(self, played_s: float) -> datetime:
        """The script's time after so many seconds of playing."""
        if played_s <= 0:
            return self._instants[0]
        if played_s >= self.seconds:
            return self._instants[-1] + timedelta(seconds=played_s - self.seconds)
        whole, part = divmod(played_s / self._share_s, 1)
        before, after = self._instants[int(whole)], self._instants[int(whole) + 1]
        return before + (after - before) * part

    def played_s(self, at: datetime) -> float:
        """The seconds of playing after which the script's time is `at`; undoes `at`."""
        if at <= self._instants[0]:
            return 0.0
        if at >= self._instants[-1]:
            return self.seconds + (at - self._instants[-1]).total_seconds()
        i = bisect_right(self._instants, at) - 1
        before, after = self._instants[i], self._instants[i + 1]
        return (i + (at - before) / (after - before)) * self._share_s
