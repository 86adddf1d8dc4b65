"""Up to which instant the deadlines of a partition may fire: once everything that Kafka had by then is folded.

Intake commits an event and then sends it. While Kafka is away what is committed waits, and is sent within some seconds
after Kafka is back; so for as long no deadline fires, or an act that was recorded in time would be told too late and
somebody alerted for nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime

from aiokafka.errors import KafkaError

AFTER_OUTAGE_S = 15.0
"""How long Kafka must have answered before anything fires: intake tries again every ten seconds at the latest."""


class Reached:
    """The partitions of one worker that have passed deadlines, and how far each must have folded before they fire."""

    def __init__(self) -> None:
        self._wanted: dict[int, tuple[datetime, int]] = {}
        """Partition → when its end was asked for, and the end."""
        self._away_s: float | None = None
        """Monotonic clock when Kafka was away last."""

    def away(self, now_s: float) -> None:
        """Kafka does not answer at this instant of the monotonic clock. What was asked before holds no longer: it does
        not cover what is sent late."""
        self._away_s = now_s
        self._wanted.clear()

    async def passed(
        self,
        due: Collection[int],
        now: datetime,
        now_s: float,
        ends: Callable[[Collection[int]], Awaitable[Mapping[int, int]]],
        position: Callable[[int], int | None],
    ) -> list[tuple[int, datetime]]:
        """(partition, instant) for those that may fire what passed by that instant.

        `due`: partitions with deadlines that have passed `now`; `ends` asks Kafka for the offsets behind what they hold
        now; `position` is the first offset that is not folded, None where the partition is not this worker's.
        """
        if self._away_s is not None and now_s - self._away_s < AFTER_OUTAGE_S:
            return []
        asked = [number for number in due if number not in self._wanted]
        if asked:
            try:
                found = await ends(asked)
            except KafkaError:
                self.away(now_s)
                return []
            self._wanted.update({number: (now, end) for number, end in found.items()})
        ready: list[tuple[int, datetime]] = []
        for number, (at, end) in list(self._wanted.items()):
            folded = position(number)
            if folded is None or folded >= end:
                del self._wanted[number]
            if folded is not None and folded >= end:
                ready.append((number, at))
        return ready
