"""The instants stamped on events: each later than the one before, whatever the clock does."""

from __future__ import annotations

from datetime import datetime, timedelta

from services.engine.ports import Clock

_TICK = timedelta(microseconds=1)


class RecordedTime:
    """Strictly increasing times of one engine.

    Of two corrections the one recorded last counts, so no two events share an instant; and a clock set back does not
    put a new event before an old one.
    """

    def __init__(self, clock: Clock, after: datetime | None = None) -> None:
        """`after`: the newest `recorded_at` on the log, if there is one."""
        self._clock = clock
        self._last = after

    def now(self) -> datetime:
        """The clock's time, or the last one given when the clock was set back behind it."""
        now = self._clock.now()
        return now if self._last is None else max(now, self._last)

    def no_earlier(self) -> datetime:
        """As `now`; and nothing is recorded before it any more."""
        self._last = self.now()
        return self._last

    def ahead_s(self) -> float:
        """By how many seconds the last one given is ahead of the clock; 0 when it is not."""
        return 0.0 if self._last is None else max(0.0, (self._last - self._clock.now()).total_seconds())

    def next(self, after: datetime | None = None) -> datetime:
        """The clock's time, or a microsecond after the last one given when the clock is not past it.

        `after`: the newest `recorded_at` on the log, where others record too.
        """
        now, last = self._clock.now(), self._last
        if after is not None and (last is None or last < after):
            last = after
        if last is not None and now <= last:
            now = last + _TICK
        self._last = now
        return now
