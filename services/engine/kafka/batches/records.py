"""What an agent is handed: the records fetched of one partition at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol, overload

from aiokafka.record.default_records import DefaultRecordBatch


class Record(Protocol):
    """One record, as aiokafka's decoder has it."""

    offset: int
    timestamp: int
    """Milliseconds since 1970, UTC."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


Part = slice | tuple[Record, ...]
"""Where a record batch lies in what was fetched, or records of one that are decoded already."""


class FetchedRecords(Sequence[Record]):
    """Records of one fetch, decoded while they are gone through and not kept.

    A record that is looked at and let go costs a fourth of one in a list: its memory is used again at once, is still in
    the processor's cache, and the garbage collector never sees it. Going through them twice decodes twice; whoever
    asks for one by its place (other than the first) has all of them decoded and kept. Raises
    `aiokafka.errors.CorruptRecordException` where a record cannot be decoded.
    """

    __slots__ = ("_bytes", "_count", "_kept", "_parts", "end", "first", "newest_ms")

    def __init__(
        self, fetched: bytes, parts: Sequence[Part], *, count: int, first: int, end: int, newest_ms: int
    ) -> None:
        self._bytes = memoryview(fetched)
        self._parts = parts
        self._count = count
        self._kept: tuple[Record, ...] | None = None
        self.first = first
        """Offset where these begin. The first record may lie behind it, where records before it were compacted."""
        self.end = end
        """Offset where reading goes on behind them: what lies between is compacted, aborted or no record."""
        self.newest_ms = newest_ms
        """Time of the newest, milliseconds since 1970, UTC."""

    def __iter__(self) -> Iterator[Record]:
        return iter(self._kept) if self._kept is not None else chain.from_iterable(self._opened())

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if place == 0 and self._kept is None:
            return next(iter(self))
        if self._kept is None:
            self._kept = tuple(self)
        return self._kept[place]

    def _opened(self) -> Iterator[Iterable[Record]]:
        for part in self._parts:
            yield part if isinstance(part, tuple) else DefaultRecordBatch(self._bytes[part])


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Records of one partition, in the order of the log, at least one."""

    topic: str
    partition: int
    records: Sequence[Record] = field(repr=False)
    """Compacted and aborted records are missing: offsets grow, but not always by one."""
    after: int | None = None
    """Where reading had arrived before this batch: between it and `first` the topic has no record. None: unknown."""

    @property
    def first(self) -> int:
        """Offset where these records begin; nothing of the partition lies between it and the end of what was before."""
        return self.records.first if isinstance(self.records, FetchedRecords) else self.records[0].offset

    @property
    def end(self) -> int:
        """Offset behind them: where reading goes on when all of this is done."""
        return self.records.end if isinstance(self.records, FetchedRecords) else self.records[-1].offset + 1
