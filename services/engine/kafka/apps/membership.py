"""Whether this worker still is a member of its group, as far as it can know by itself.

The broker gives a worker's partitions to others when it has not heard of it for the session timeout. A worker that was
paused, or cut off, for as long must not write as the owner of anything until the group has answered it.
"""

from __future__ import annotations

import sys
import time

_CLOCK = time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC


def boot_s() -> float:
    """Seconds on a clock that nobody sets and that goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


class Membership:
    """When the group was last heard of. Written by the consumer's thread, read by the app's."""

    __slots__ = ("_heard_at_s", "_session_timeout_s", "_ticked_at_s")

    def __init__(self, session_timeout_s: float) -> None:
        self._session_timeout_s = session_timeout_s
        self._heard_at_s = boot_s()
        self._ticked_at_s = boot_s()

    def heard(self, asked_at_s: float) -> None:
        """The group answered a question that was asked at this time (`boot_s`): until then nothing was given away."""
        self._heard_at_s = max(self._heard_at_s, asked_at_s)

    def tick(self) -> float:
        """Called often while the worker runs; returns for how long it did not, in seconds."""
        now_s = boot_s()
        slept_s, self._ticked_at_s = now_s - self._ticked_at_s, now_s
        return slept_s

    @property
    def slept(self) -> bool:
        """Whether this process did not run for longer than the session timeout, since the last tick."""
        return boot_s() - self._ticked_at_s > self._session_timeout_s

    @property
    def certain(self) -> bool:
        """Whether nobody else can own our partitions yet."""
        return boot_s() - self._heard_at_s < self._session_timeout_s
