"""A partition of a compacted topic and one of events in memory, with the consumer that reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.engine.kafka.batches.records import FetchedRecords


@dataclass(frozen=True, slots=True)
class Kept:
    """One record; what every consumer's record has."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes | None]] = ()


@dataclass(slots=True)
class Log:
    """A partition."""

    records: list[Kept] = field(default_factory=list)
    end: int = 0

    def append(self, key: bytes, value: bytes) -> int:
        self.records.append(Kept(self.end, key, value))
        self.end += 1
        return self.end - 1

    def compact(self, clean_to: int) -> None:
        """Of what stands before an offset, keep the newest record of each key, looking at all of the log."""
        newest = {record.key: record.offset for record in self.records}
        self.records = [r for r in self.records if r.offset >= clean_to or newest[r.key] == r.offset]


class PretendedConsumer:
    """Of `AIOKafkaConsumer`, what reading of whole partitions uses. A fetch brings few records."""

    def __init__(self, logs: dict[str, Log], at_once: int = 3) -> None:
        self._logs, self._at_once = logs, at_once
        self._positions: dict[TopicPartition, int] = {}

    async def beginning_offsets(self, parts: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 0)

    async def end_offsets(self, parts: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return {part: self._logs[part.topic].end for part in parts}

    def assign(self, parts: Sequence[TopicPartition]) -> None:
        self._positions = dict.fromkeys(parts, 0)

    def seek(self, part: TopicPartition, offset: int) -> None:
        self._positions[part] = offset

    async def position(self, part: TopicPartition) -> int:
        return self._positions[part]

    async def getmany(self, part: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[FetchedRecords]]:
        log, start = self._logs[part.topic], self._positions[part]
        found = tuple(record for record in log.records if record.offset >= start)[: self._at_once]
        end = found[-1].offset + 1 if len(found) == self._at_once else log.end
        self._positions[part] = end
        page = FetchedRecords(b"", [found], count=len(found), first=start, end=end, newest_ms=0)
        return {part: [page]} if found else {}


def reader_of(logs: dict[str, Log]) -> Callable[..., AbstractAsyncContextManager[AIOKafkaConsumer]]:
    """In place of `services.engine.kafka.views.reading.reader`."""

    @asynccontextmanager
    async def reader(*_: object) -> AsyncIterator[PretendedConsumer]:
        yield PretendedConsumer(logs)

    return reader
