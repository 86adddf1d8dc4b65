"""What aiokafka's fetcher makes of a fetch: for batch topics all of it together, not a copy of every record.

aiokafka decodes each record, copies it into a frozen dataclass of eleven fields and puts that on a list: more work than
all the rest of the transport. Here a fetch is checked (checksums, aborted transactions) by record batches, and its
records are decoded where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from itertools import islice
from struct import Struct
from typing import Any

import crc32c
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from services.engine.kafka.batches.records import FetchedRecords, Part

_LENGTH = Struct(">8xi")
"""A record batch begins with its base offset and how many bytes follow behind this count."""
_CHECKED_FROM = 21
"""Its checksum is of all behind this place. This and the next are of the format that Kafka writes since 0.11."""
_COUNT = Struct(">57xi")
"""How many records it holds."""


class Together:
    """A key deserializer that changes no key, and by which our consumer's fetches are known among others'."""

    def __init__(self, topics: Set[str], most: int | None = None) -> None:
        self.topics = topics
        """Names of the topics whose fetches are handed out together."""
        self.most = most
        """Records that are handed out together at most; None for all that were fetched."""

    def __call__(self, key: bytes | None) -> bytes | None:
        """The key, untouched."""
        return key


class _MemoryRecords(MemoryRecords):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's own, but what was fetched can be got at."""

    def __init__(self, fetched: bytes) -> None:
        super().__init__(fetched)
        self.fetched = fetched


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's own for every other consumer and topic; for ours, an iterator of `FetchedRecords`."""

    def _unpack_records(self) -> Iterator[Any]:
        together = self._key_deserializer
        if isinstance(together, Together) and self._tp.topic in together.topics:
            return self._together(together.most)
        return super()._unpack_records()  # type: ignore[no-any-return]

    def _together(self, most: int | None) -> Iterator[FetchedRecords]:
        """aiokafka may stop behind any of these, and reads on at `next_fetch_offset`."""
        found = self._checked()
        if most is not None and len(found) > most:
            records, left = iter(found), len(found)
            while some := tuple(islice(records, most)):
                left -= len(some)
                self.next_fetch_offset = some[-1].offset + 1 if left else found.end
                yield FetchedRecords(
                    b"",
                    [some],
                    count=len(some),
                    first=some[0].offset,
                    end=self.next_fetch_offset,
                    newest_ms=some[-1].timestamp,
                )
            return
        self.next_fetch_offset = found.end
        if found:
            yield found

    def _checked(self) -> FetchedRecords:
        """What is handed out of a fetch, possibly nothing. Raises `CorruptRecordException`, and reading stays."""
        fetched, start = self._records.fetched, self.next_fetch_offset
        parts: list[Part] = []
        count, first, end, newest_ms, place = 0, start, start, -1, 0
        while self._records.has_next():
            batch = self._records.next_batch()
            begin, place = place, place + _LENGTH.size + _LENGTH.unpack_from(fetched, place)[0]
            if self._check_crcs and not _intact(batch, fetched, slice(begin, place)):
                raise CorruptRecordException(f"a record batch of {self._tp} has a wrong checksum")
            if not self._left_out(batch):
                part, held, offset, timestamp = _part(batch, fetched, slice(begin, place), end)
                if held:
                    parts.append(part)
                    first = first if count else offset
                    count += held
                    newest_ms = max(newest_ms, timestamp)
            end = max(end, batch.next_offset)
        return FetchedRecords(fetched, parts, count=count, first=first, end=end, newest_ms=newest_ms)

    def _left_out(self, batch: Any) -> bool:
        """Whether a record batch is of an aborted transaction, or a mark of the broker's own."""
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


def _intact(batch: Any, fetched: bytes, place: slice) -> bool:
    """Whether its checksum is right. aiokafka's own takes eight times as long, and keeps all other threads waiting."""
    if not isinstance(batch, DefaultRecordBatch):
        return bool(batch.validate_crc())
    checked = memoryview(fetched)[place.start + _CHECKED_FROM : place.stop]
    return crc32c.crc32c(checked) == batch.crc  # type: ignore[no-any-return]


def _part(batch: Any, fetched: bytes, place: slice, start: int) -> tuple[Part, int, int, int]:
    """The records of a batch from an offset on: where or which, how many, the first offset and the newest time.

    Decoded at once when the batch begins before it, as after a seek, or is of an old format.
    """
    if isinstance(batch, DefaultRecordBatch) and batch.base_offset >= start:
        return place, _COUNT.unpack_from(fetched, place.start)[0], batch.base_offset, batch.max_timestamp
    records = tuple(record for record in batch if record.offset >= start)
    if not records:
        return records, 0, start, -1
    return records, len(records), records[0].offset, max(record.timestamp or -1 for record in records)


def install() -> None:
    """Make aiokafka's fetcher use these; it names its classes by a module's globals, so there is no other way."""
    fetcher.MemoryRecords = _MemoryRecords
    fetcher.PartitionRecords = _PartitionRecords
