"""A checkpoint: every view that changed since the one before, as records of `ccr.case-views` and as rows of the file.

Views never change once made, so records can be packed while the next events are folded: in slices between two batches,
or in another thread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ccr_events.core.view import CaseView
from services.engine.kafka.topics.catalogue import MAX_RECORD_BYTES
from services.engine.kafka.views.packing import ViewPacker
from services.engine.kafka.views.records import MARK_KEY, Mark, ViewRecord, encode_mark, encode_view
from services.engine.kafka.views.tables import Row
from services.engine.kafka.views.upcoming import earliest

MAX_VALUE_BYTES = MAX_RECORD_BYTES - 1_024
"""Largest value of a record: the topic's limit less the key and what Kafka puts around it. A larger view (a case of
some 8,000 events) stays in the local file, and its record says that the case must be refolded elsewhere."""
SLICE = 100
"""Views packed at a time in `slices`, in about 5 ms."""
OURS = -1
"""Where in `ccr.case-views` a row says it was read, for a view that this worker made."""


class Checkpoint:
    """Made by `PartitionViews.checkpoint`. Its records must be acknowledged, in order, before it is settled."""

    __slots__ = ("_limit", "_made", "_packer", "_waiting", "mark", "rows", "views")

    def __init__(self, views: Mapping[str, CaseView], mark: Mark, packer: ViewPacker, limit: int) -> None:
        self.views = views
        """What is in it, by case."""
        self.mark = mark
        self.rows: list[Row] = []
        """What the file takes, as far as packed."""
        self._packer = packer
        self._limit = limit
        self._waiting = iter(views.values())
        self._made: list[tuple[bytes, bytes]] = []

    @property
    def offset(self) -> int:
        """Next input offset that the views of this checkpoint lack."""
        return self.mark.offset

    @property
    def records(self) -> list[tuple[bytes, bytes]]:
        """(key, value) of every record, the mark last. Packs what is not packed yet: about 60 µs a view of ten events;
        see `slices`."""
        for _ in self.slices():
            pass
        return [*self._made, (MARK_KEY, encode_mark(self.mark))]

    def slices(self, size: int = SLICE) -> Iterator[int]:
        """Pack so many views at a time; yields how many were packed. Then `records` costs nothing."""
        while chunk := list(islice(self._waiting, size)):
            for view in chunk:
                self._pack(view)
            yield len(chunk)

    def _pack(self, view: CaseView) -> None:
        packed = self._packer.pack(view)
        next_at = earliest(view.links.values())
        mark = self.mark
        self.rows.append((view.case_id, mark.epoch, mark.offset, OURS, next_at, packed))
        value = encode_view(ViewRecord(mark.epoch, mark.offset, next_at, packed))
        if len(value) > self._limit:
            value = encode_view(ViewRecord(mark.epoch, mark.offset, None, None))
        self._made.append((view.case_id.encode(), value))
