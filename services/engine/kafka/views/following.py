"""Records of `ccr.case-views` brought into a local file, and what the file then says: where the next owner reads on.

An owner that was away too long may still write when another one has long taken over. Its records carry a lower epoch.
They change nothing that the file has from a newer owner. Compaction, however, can leave only such a record of a case,
or only such a mark. Then the file goes back to what is sure: input is folded again from the lowest offset in doubt.
Folding again changes nothing that is known already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol

from services.engine.kafka.views.file import PartitionFile
from services.engine.kafka.views.packing import readable
from services.engine.kafka.views.records import MARK_KEY, Mark, UnknownRecord, decode_mark, decode_view
from services.engine.kafka.views.tables import Row, Standing

MAX_EPOCHS = 64
"""Epochs remembered one by one in `Standing.seen`; those before count as one."""
_UNREADABLE = 2**62
"""`as_of` of a record that cannot be read: nothing of its owner comes after it."""


class ViewsRecord(Protocol):
    """A record as the consumer has it."""

    offset: int
    key: bytes | None
    value: bytes | None


class Sure(NamedTuple):
    """What a file that was read to the end says."""

    offset: int
    """Input offset up to which (exclusive) every view has its events."""
    epoch: int
    """Highest epoch that wrote; 0 when nobody did."""


class Foreign(Exception):
    """The file was made from another cluster's topics; says how it shows."""


class Following:
    """Brings records into one file, in the order of the log."""

    __slots__ = ("_confirmed", "file", "newest")

    def __init__(self, file: PartitionFile) -> None:
        self.file = file
        self.newest: Mark | None = None
        """Of the marks taken."""
        self._confirmed = file.standing.mark is None

    def take(self, records: Iterable[ViewsRecord]) -> int:
        """Bring these in, in one transaction; returns how many views there were.

        Raises `Foreign`, and `StorageFailed` when the disk refuses; then nothing was written.
        """
        standing = self.file.standing
        rows, mark, read_to = list[Row](), standing.mark, standing.read_to
        seen = _Seen(standing.seen)
        for record in records:
            offset, key, value = record.offset, record.key, record.value
            read_to = offset + 1
            if key is None or value is None:
                continue  # nobody of ours writes such a one: views are never deleted
            if key == MARK_KEY:
                mark = self._newer(mark, value)
                continue
            case_id = key.decode(errors="replace")
            try:
                epoch, as_of, next_at, packed = decode_view(value)
            except UnknownRecord:
                epoch, as_of, next_at, packed = seen.highest, _UNREADABLE, None, None
            if packed is not None and not readable(packed):
                next_at = packed = None
            rows.append((case_id, epoch, as_of, offset, next_at, packed))
            seen.note(epoch, offset, as_of)
        self.file.write(rows, replace(standing, mark=mark, read_to=read_to, seen=seen.noted()))
        return len(rows)

    def _newer(self, mark: Mark | None, value: bytes) -> Mark | None:
        try:
            read = decode_mark(value)
        except UnknownRecord:
            return mark
        standing = self.file.standing
        if (read.topic, read.partition) != (standing.topic, standing.partition):
            return mark
        if not self._confirmed and standing.mark is not None and read.line != standing.mark.line:
            raise Foreign("Kafka was set up anew since it was written")
        self._confirmed = True
        if self.newest is None or read[:2] >= self.newest[:2]:
            self.newest = read
        return read if mark is None or read[:2] >= mark[:2] else mark


def sure(file: PartitionFile) -> Sure:
    """What the file says when it was read to the end of the topic."""
    standing = file.standing
    mark, seen = standing.mark, standing.seen
    epoch = max([*seen, 0 if mark is None else mark.epoch], default=0)
    if mark is None:
        return Sure(0, epoch)
    offset = min([mark.offset, *(lowest for each, (_, lowest) in seen.items() if each > mark.epoch)])
    if _written_behind(standing, mark):
        lowest = file.lowest_behind(mark.begins, mark.epoch)
        offset = offset if lowest is None else min(offset, lowest)
    return Sure(offset, epoch)


def _written_behind(standing: Standing, mark: Mark) -> bool:
    """Whether an earlier owner wrote in the time of this one."""
    return any(epoch < mark.epoch and last >= mark.begins for epoch, (last, _) in standing.seen.items())


class _Seen:
    """`Standing.seen` while records are gone through; mostly those of one epoch follow one another."""

    __slots__ = ("_all", "_epoch", "_last", "_lowest")

    def __init__(self, seen: Mapping[int, tuple[int, int]]) -> None:
        self._all = dict(seen)
        self._epoch, self._last, self._lowest = -1, 0, 0

    @property
    def highest(self) -> int:
        """The highest epoch; 0 when there is none."""
        return max([*self._all, self._epoch, 0])

    def note(self, epoch: int, offset: int, as_of: int) -> None:
        """A record, with a higher offset than any before."""
        if epoch != self._epoch:
            self._put()
            self._epoch, self._lowest = epoch, as_of
        elif as_of < self._lowest:
            self._lowest = as_of
        self._last = offset

    def noted(self) -> dict[int, tuple[int, int]]:
        """With those noted; epochs beyond `MAX_EPOCHS`, the lowest, count as one."""
        self._put()
        seen = dict(sorted(self._all.items()))
        surplus = list(seen)[: max(0, len(seen) - MAX_EPOCHS + 1)]
        if len(surplus) > 1:
            merged = [seen.pop(epoch) for epoch in surplus]
            seen[surplus[-1]] = (max(last for last, _ in merged), min(lowest for _, lowest in merged))
        return seen

    def _put(self) -> None:
        if self._epoch >= 0:
            _, lowest = self._all.get(self._epoch, (0, self._lowest))
            self._all[self._epoch] = (self._last, min(lowest, self._lowest))
