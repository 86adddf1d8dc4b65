"""What an agent is handed: the records fetched of one partition at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Record(Protocol):
    """One record, as aiokafka's decoder has it."""

    offset: int
    timestamp: int
    """Milliseconds since 1970, UTC."""
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


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
        """Offset of the first record."""
        return self.records[0].offset

    @property
    def end(self) -> int:
        """Offset after the last record: where reading goes on when all of this is done."""
        return self.records[-1].offset + 1
