"""The garbage collector of a process that serves for months: it looks at what is new, rarely at all that there is.

What an event leaves behind is freed by reference counts at once; the collector is for cycles, of which there are few.
As Python sets it, it walks every cached view and link again and again, and each walk holds up whoever waits for an
alert: a tenth of an event's time, and the longest pauses.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (50_000, 20, 100)
"""New containers before a young collection, young ones before a middle one, middle ones before a whole one."""


@contextmanager
def collected_rarely() -> Iterator[None]:
    """Set the collector so, and as it was in the end. What is there at the start is never looked at meanwhile."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
