"""The state of one partition: views being folded on, those kept ready, and all of them in the local file.

A view changes in memory only. A checkpoint takes what changed; when its records are acknowledged by Kafka, `settle`
writes them to the file with the input offset, in one transaction. So the file never runs ahead of `ccr.case-views`, and
after a crash at most one checkpoint's worth is folded again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from os import urandom
from pathlib import Path

from ccr_events.core.model import Link
from ccr_events.core.view import CaseView
from services.engine.deadlines import firing_order, pending
from services.engine.kafka.topics.catalogue import CASE_VIEWS
from services.engine.kafka.views.checkpoint import MAX_VALUE_BYTES, Checkpoint
from services.engine.kafka.views.file import PartitionFile, StateDamaged
from services.engine.kafka.views.instants import instant, microseconds
from services.engine.kafka.views.packing import NotUnpackable, ViewPacker
from services.engine.kafka.views.ready import Ready, ReadyViews
from services.engine.kafka.views.records import MARK_KEY, Mark
from services.engine.kafka.views.upcoming import Upcoming, earliest
from services.engine.transaction import Deadline

CACHE_FACTS = 20_000
"""Facts of all views together that a partition keeps ready, about 50 MB with their links. A worker with many partitions
divides what it has by them (`keep_ready`)."""
LINE_BYTES = 8
"""Of `Mark.line`."""


class NotTheOwner(RuntimeError):
    """Somebody else wrote to this partition of `ccr.case-views` meanwhile: another worker owns it by now."""


class PartitionViews:
    """Views of one partition. Synchronous; one thread, but for what `Checkpoint` says."""

    def __init__(self, file: PartitionFile, *, epoch: int, cache_facts: int, max_value_bytes: int) -> None:
        """See `open_partition`."""
        self.file = file
        self.epoch = epoch
        """Written into every record: higher than that of any owner before, once the partition is restored."""
        mark = file.standing.mark
        self._offset = 0 if mark is None else mark.offset
        self._line = urandom(LINE_BYTES) if mark is None else mark.line
        self._begins = file.standing.read_to
        self._limit = max_value_bytes
        self._unplaced = 0
        """Records written since `read_to` of which it is not known where they stand."""
        self._refolding_all = False
        self._packer = ViewPacker()
        self._ready = ReadyViews(cache_facts)
        self._changed: dict[str, CaseView] = {}
        self._taken: Checkpoint | None = None
        self._upcoming = Upcoming(self._unsettled)

    @property
    def offset(self) -> int:
        """Next input offset that the settled state lacks: where to read on after opening and restoring."""
        return self._offset

    @property
    def changed(self) -> int:
        """Views that the next checkpoint will have."""
        return len(self._changed)

    def get(self, case_id: str) -> CaseView:
        """The view as it is now; an empty one for a case without events. Raises `StateDamaged`."""
        view = self._unsettled(case_id)
        if view is not None:
            return view
        ready = self._ready.get(case_id) or self._load(case_id)
        return CaseView(case_id) if ready is None else ready.view

    def put(self, view: CaseView, changed: Iterable[Link] = (), removed: Iterable[str] = ()) -> None:
        """The new state of a case. `changed` must have every link that is new or differs, as a fold's `Step` has them:
        their deadlines are found by it. What is `removed` is gone with the view itself."""
        case_id = view.case_id
        if case_id.encode() == MARK_KEY:
            raise ValueError(f"no case is called {case_id!r}: it is the key of the marks")
        if self._unsettled(case_id) is None:
            before = self._ready.pop(case_id)
            if before is not None:
                self._upcoming.hint(case_id, before.next_at)
            elif (row := self.file.find(case_id)) is not None:
                self._upcoming.hint(case_id, row[0])
        self._changed[case_id] = view
        for link in changed:
            self._upcoming.hint(case_id, earliest((link,)))

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Pending deadlines at or before `now`, ordered by (at, link id, step), at most `limit`. When there are more,
        none that is left out is at an earlier instant than one returned."""
        until = microseconds(now)
        views = [self.get(case_id) for case_id in self._upcoming.until(until)]
        unpacked = 0
        for case_id, at in self.file.upcoming(until):
            if self._unsettled(case_id) is not None:
                continue
            if unpacked == limit:
                # Views beyond have no deadline before this instant, so up to it the list is complete.
                until = at
                break
            views.append(self.get(case_id))
            unpacked += 1
        last = instant(until)
        found = {each for view in views for link in view.links.values() for each in pending(link) if each.at <= last}
        return sorted(found, key=firing_order)[:limit]

    def next_at(self) -> datetime | None:
        """The earliest pending instant."""
        soonest = self._upcoming.first()
        for case_id, at in self.file.upcoming(soonest):
            if self._unsettled(case_id) is None:
                soonest = at
                break
        return None if soonest is None else instant(soonest)

    def checkpoint(self, offset: int) -> Checkpoint:
        """Take what changed. All input before `offset` must be folded, and what followed from it acknowledged: whoever
        reads these views elsewhere will not decide it again. One at a time: raises `ValueError` while one is not
        settled."""
        if self._taken is not None:
            raise ValueError("a checkpoint is under way: settle it first, or close the partition")
        topic, partition = self.file.standing.topic, self.file.standing.partition
        mark = Mark(self.epoch, offset, self._begins, self._line, topic, partition)
        self._taken = Checkpoint(self._changed, mark, self._packer, self._limit)
        self._changed = {}
        return self._taken

    def settle(self, checkpoint: Checkpoint, written: range | None = None) -> None:
        """Its records are acknowledged: write them to the file, with the offset, in one transaction.

        `written`: their offsets in `ccr.case-views`, when known: the next restore then reads from there on. Raises
        `NotTheOwner` when more stands before them than this worker wrote, `StorageFailed` when the disk refuses; the
        worker must then let the partition go.
        """
        if checkpoint is not self._taken:
            raise ValueError("this is not the checkpoint under way")
        standing, read_to = self.file.standing, self.file.standing.read_to
        count = len(checkpoint.records)
        if written is None:
            self._unplaced += count
        else:
            # Of those whose place is not known, Kafka may have left some out as too large.
            latest = read_to + self._unplaced
            if not read_to <= written.start <= latest or len(written) != count:
                raise NotTheOwner(
                    f"partition {standing.partition} of {standing.topic}: {count} records were to stand from {latest} "
                    f"on and stand at {written.start} to {written.stop}, so another worker writes there: this one must "
                    "start anew"
                )
            read_to, self._unplaced = written.stop, 0
        self.file.write(checkpoint.rows, replace(standing, mark=checkpoint.mark, read_to=read_to))
        self._taken = None
        self._offset = checkpoint.offset
        for (case_id, *_, next_at, _), view in zip(checkpoint.rows, checkpoint.views.values(), strict=True):
            if case_id not in self._changed:
                self._ready.keep(Ready(view, next_at))
        self._upcoming.keep(self._changed)

    def keep_ready(self, facts: int) -> None:
        """Keep views of so many facts ready from now on."""
        self._ready.resize(facts)

    def begin(self, offset: int, epoch: int, *, refolding_all: bool = False) -> None:
        """The file was brought up to date: read on at `offset`, as an owner with at least this epoch. `refolding_all`:
        from the beginning, so cases that have no view begin without one."""
        standing = self.file.standing
        self._offset, self.epoch, self._begins = offset, max(self.epoch, epoch), standing.read_to
        self._unplaced = 0
        self._line = self._line if standing.mark is None else standing.mark.line
        self._refolding_all = refolding_all
        self._ready.clear()

    def close(self) -> None:
        """Let the partition go; what is not settled is folded again by its next owner."""
        self.file.close()

    def _unsettled(self, case_id: str) -> CaseView | None:
        view = self._changed.get(case_id)
        if view is None and self._taken is not None:
            return self._taken.views.get(case_id)
        return view

    def _load(self, case_id: str) -> Ready | None:
        row = self.file.find(case_id)
        if row is None:
            return None
        next_at, packed = row
        if packed is None and self._refolding_all:
            return None
        if packed is None:
            raise StateDamaged(f"the view of case {case_id} must be refolded: restore the partition before it is used")
        try:
            ready = Ready(self._packer.unpack(packed), next_at)
        except NotUnpackable as unreadable:
            self.file.forget(case_id)
            raise StateDamaged(
                f"case {case_id}: {unreadable}; it is done when this worker starts again"
            ) from unreadable
        self._ready.keep(ready)
        return ready


def open_partition(
    directory: Path,
    partition: int,
    *,
    epoch: int,
    topic: str = CASE_VIEWS,
    cache_facts: int = CACHE_FACTS,
    max_value_bytes: int = MAX_VALUE_BYTES,
) -> PartitionViews:
    """The state of a partition as its local file has it; `restore` then brings it up to date.

    `topic`: the views' topic in the generation in force. `epoch`: at least this; restoring makes it higher than what it
    finds. Raises `StateInUse`, and `StorageFailed` when the disk refuses. A file that cannot be trusted is set aside.
    """
    file = PartitionFile(directory, topic, partition)
    return PartitionViews(file, epoch=epoch, cache_facts=cache_facts, max_value_bytes=max_value_bytes)
