"""A partition brought up to date by its new owner: from the local file, from `ccr.case-views`, or by folding again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from secrets import randbelow
from time import monotonic, time_ns

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.engine.kafka.security import Security
from services.engine.kafka.views.file import PartitionFile
from services.engine.kafka.views.following import Following, Foreign, sure
from services.engine.kafka.views.partition import PartitionViews
from services.engine.kafka.views.reading import between, bounds, reader
from services.engine.kafka.views.refolding import MOST_CASES, Refolding, refolded
from services.engine.kafka.views.threads import begun, ended, in_thread

EPOCHS_APART = 2**20
"""Where clocks say nothing, a new epoch is drawn from so many above the highest: two workers that take a partition over
at once differ."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    views: int
    """Cases the partition has now."""
    read: int
    """Records read from `ccr.case-views`."""
    seconds: float
    source: str
    """Where the views came from: `local file`, `local file and topic`, `topic` or `nothing`."""
    offset: int
    """Next input offset to fold."""
    refolded: int = 0
    """Cases folded again from their events, alone."""
    whole: bool = False
    """True when too many cases must be folded again: the input is read from the beginning."""
    set_aside: str | None = None
    """Why the local file was not used, when it was not."""


async def restore(
    views: PartitionViews, bootstrap: str, *, refolding: Refolding, security: Security | None = None
) -> Restored:
    """Bring a partition that was just opened up to date. Its owner then folds on from `Restored.offset`.

    Raises `KafkaUnreachable`; `StorageFailed` when the disk refuses. The partition must then be closed.
    """
    started = monotonic()
    file = views.file
    part = TopicPartition(file.standing.topic, file.standing.partition)
    async with reader(bootstrap, (part.topic, refolding.topic), security) as consumer:
        had = file.standing.mark is not None
        read = await _brought_up_to_date(consumer, part, file)
        found = await in_thread(sure, file)
        to_refold = await in_thread(file.to_refold, MOST_CASES + 1)
        whole = len(to_refold) > MOST_CASES
        offset = 0 if whole else found.offset
        if to_refold:
            _log.warning(
                "partition %d of %s: %s have no view that can be read here (larger than a record may be, damaged, or "
                "written by another release); %s folded again from %s",
                *(part.partition, part.topic),
                f"{len(to_refold)} case(s)" if not whole else f"more than {MOST_CASES} cases",
                *("the whole partition is" if whole else "they are", refolding.topic),
            )
        views.begin(offset, _epoch_after(found.epoch), refolding_all=whole)
        again = [] if whole or not to_refold else await refolded(consumer, refolding, part.partition, to_refold, offset)
    for view in again:
        views.put(view, view.links.values())
    kept = had and file.set_aside is None
    count = await in_thread(file.count)
    sources = ("nothing", "topic") if not kept else ("local file", "local file and topic")
    return Restored(
        count, read, monotonic() - started, sources[read > 0], offset, len(again), whole, set_aside=file.set_aside
    )


def _epoch_after(highest: int) -> int:
    """Microseconds since 1970: who takes over later has a higher one, though neither has written yet. A clock that is
    behind loses nothing by it."""
    return max(highest + 1 + randbelow(EPOCHS_APART), time_ns() // 1_000)


async def _brought_up_to_date(consumer: AIOKafkaConsumer, part: TopicPartition, file: PartitionFile) -> int:
    """Read what the file lacks; returns how many records that were."""
    try:
        return await _read_on(consumer, part, file)
    except Foreign as foreign:
        await in_thread(file.start_anew, str(foreign))
        return await _read_on(consumer, part, file)


async def _read_on(consumer: AIOKafkaConsumer, part: TopicPartition, file: PartitionFile) -> int:
    """Raises `Foreign`."""
    before = file.standing
    first, end = await bounds(consumer, part)
    if before.read_to > end or 0 < before.read_to < first:
        raise Foreign(f"it goes up to record {before.read_to} of the views, and Kafka has {first} to {end}")
    following, read = Following(file), 0
    writing: asyncio.Task[int] | None = None
    await in_thread(file.begin_filling)
    try:
        async for page in between(consumer, part, max(first, before.read_to), end):
            # The next page is fetched and decoded while this one is written.
            if writing is not None:
                await ended(writing)
            writing = begun(following.take, page)
            read += len(page)
    finally:
        if writing is not None:
            await ended(writing)
        await in_thread(file.end_filling)
    if before.mark is not None:
        found = following.newest
        if found is None and before.read_to == 0:
            raise Foreign("Kafka has no mark of this partition")
        if found is not None and found[:2] < before.mark[:2]:
            raise Foreign("Kafka has less than it")
    return read
