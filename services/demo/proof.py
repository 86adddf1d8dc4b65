"""What the demo holds its own run to: nothing accepted is missing from the log, nothing committed from the stream."""

from __future__ import annotations

from collections.abc import Mapping, Set

from services.engine.ports import AlertSource, Log

PAGE = 1000
"""Log records read at a time."""


async def events_lost(log: Log, accepted: Mapping[str, int]) -> int:
    """How many accepted events (id → position of the receipt) are not on the log, or stand elsewhere on it."""
    found: dict[str, int] = {}
    after = 0
    while records := await log.read(after, PAGE):
        found.update((record.event_id, record.position) for record in records)
        after = records[-1].position
    return sum(found.get(event_id) != position for event_id, position in accepted.items())


async def alerts_lost(source: AlertSource, heard: Set[int]) -> int:
    """How many transitions of the outbox that alert somebody were not read from the stream."""
    last = await source.last_seq()
    missing = 0
    if last == 0:
        return 0
    async for page in source.follow(0):
        missing += sum(alert.alerting and alert.seq not in heard for alert in page if alert.seq <= last)
        if page and page[-1].seq >= last:
            break
    return missing
