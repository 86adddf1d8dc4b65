"""Reading a partition from where the worker's own state ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from time import monotonic

from faust.types import TP

STUCK_S = 5.0
"""Where nothing of a partition came for so long, though there is something, it is read again from where it was."""

_log = logging.getLogger(__name__)


def unacknowledged() -> Awaitable[None]:
    """What an agent of batches returns for a batch that counts as not done: it is read again."""
    left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    left.cancel()
    return left


class Stuck:
    """Notices partitions of which nothing comes though there is something: a seek of Faust's can overtake ours."""

    def __init__(self) -> None:
        self._since: dict[TP, tuple[int, float]] = {}

    def noticed(self, tp: TP, position: int, end: int | None) -> bool:
        """Whether reading must be sent back to `position`. `end`: behind the newest record known of, None: unknown."""
        now_s = monotonic()
        at, since_s = self._since.get(tp, (-1, now_s))
        if end is None or position >= end or position != at:
            self._since[tp] = (position, now_s)
            return False
        if now_s - since_s <= STUCK_S:
            return False
        _log.warning("%s, partition %d: nothing comes from %d on, reading it again", tp.topic, tp.partition, position)
        self._since[tp] = (position, now_s)
        return True
