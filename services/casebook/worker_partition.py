"""One partition that this worker owns: folded, its outputs sent, checkpointed, its deadlines fired. Knows no Faust.

Transitions and carried events go out at once. At a checkpoint everything sent for what it covers is acknowledged first,
then the changed views are written, then the local file; only then are the input batches done. So what is committed is
never ahead of what would survive this worker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from services.casebook.partition import Folded, Folding, Places, event_output
from services.casebook.partition_deadlines import Firing
from services.casebook.partition_history import Rungs, passed_in_history, reminds_of_history
from services.engine.kafka.batches import Output
from services.engine.kafka.batches.records import Record
from services.engine.kafka.views import PartitionViews
from services.engine.transaction import NewRecord

CHECKPOINT_EVENTS = 20_000
"""Events folded since the last checkpoint that call for the next one at once."""
MOST_GATHERED = 2 * CHECKPOINT_EVENTS
"""So many, and nothing more is folded until the checkpoint is done."""

Send = Callable[[int, Iterable[Output]], Awaitable[None]]
"""Writes records to a partition number; returns when all replicas in sync have them."""
Write = Callable[[int, Sequence[Output]], Awaitable[range | None]]
"""Writes records of one topic to a partition number; returns their offsets once all replicas in sync have them, None
when they do not follow one another or are not known."""


class OwnedPartition:
    """State and work of one partition, from its assignment to its end."""

    def __init__(
        self,
        number: int,
        views: PartitionViews,
        folding: Folding,
        firing: Firing,
        places: Places,
        send: Send,
        write: Write,
        may_write: Callable[[], bool],
        rungs: Rungs,
    ) -> None:
        """`may_write`: asked before anything is written; false when it is not certain that this worker still is the
        owner, which only state and deadlines wait for. It raises when this worker certainly must end."""
        self.number = number
        self.views = views
        self.position = views.offset
        """Offset up to which everything is folded."""
        self.settled = views.offset
        """Offset of the last checkpoint."""
        self.counted = Folded()
        """Running figures; only its numbers are kept."""
        self.refused = 0
        self._folding = folding
        self._firing = firing
        self._places = places
        self._send = send
        self._write = write
        self._may_write = may_write
        self._rungs = rungs
        self._backfilled: dict[str, str] = {}
        self._sending: list[asyncio.Task[None]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._since_checkpoint = 0
        self._checkpointing = asyncio.Lock()
        self._recorded_at: datetime | None = None
        self._broken = False
        self._begun = False

    @property
    def full(self) -> bool:
        """Whether nothing more may be folded before a checkpoint."""
        return self._since_checkpoint >= MOST_GATHERED

    @property
    def calls(self) -> bool:
        """Whether so much was folded that a checkpoint is due at once."""
        return self._since_checkpoint >= CHECKPOINT_EVENTS

    @property
    def told(self) -> bool:
        """Whether everything that follows from what was folded is acknowledged."""
        return all(task.done() for task in self._sending)

    @property
    def unfolded_deadlines(self) -> int:
        """Deadlines that were fired and are still pending."""
        return self._firing.unfolded

    def fold(self, records: Sequence[Record], first: int, end: int) -> Awaitable[None]:
        """Fold what the state lacks of these records, from the offset `first` up to `end`, and send what follows.

        What is returned is done once a checkpoint covers it. Raises `EditionMissing`.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if end <= self.settled:
            done.set_result(None)
            return done
        lacking = records if first >= self.position else (r for r in records if r.offset >= self.position)
        try:
            folded = self._folding.fold(self.views, lacking)
        except BaseException:
            # Some of it is in the views, and nobody was told what follows from it: this state must not be kept.
            self._broken = True
            raise
        self.position = max(self.position, end)
        self._since_checkpoint += len(records)
        self._count(folded)
        self._backfilled |= folded.backfilled
        if folded.links or folded.carried or folded.set_aside:
            self._sending.append(asyncio.create_task(self._sent(folded)))
        self._waiting.append(done)
        return done

    async def checkpoint(self) -> bool:
        """Make what was folded outlast this worker. False when nothing is new, or when it may not write.

        The first one is written even when nothing is new: it ends the time of owners before. Raises what Kafka or the
        disk refused with; then nothing of it counts, and the worker must end.
        """
        async with self._checkpointing:
            if (self._begun and self.position == self.settled) or self._broken or not self._may_write():
                return False
            self._fire_history()
            waiting, self._waiting = self._waiting, []
            sending, self._sending = self._sending, []
            position, self._since_checkpoint = self.position, 0
            taken = self.views.checkpoint(position)
            try:
                await asyncio.gather(*sending)
                for _ in taken.slices():
                    await asyncio.sleep(0)  # meanwhile the next batches are folded
                records = [Output(self._places.case_views, key, value) for key, value in taken.records]
                self.views.settle(taken, await self._write(self.number, records))
            except BaseException:
                self._broken = True
                _cancel(waiting)
                raise
            self.settled, self._begun = position, True
            for done in waiting:
                if not done.done():
                    done.set_result(None)
            return True

    async def fire(self, now: datetime) -> int:
        """Write the events of deadlines that have passed; returns how many. Call it only with everything folded that
        was recorded before `now`."""
        self._fire_history()
        history = partial(reminds_of_history, self.views, rungs=self._rungs)
        records = self._firing.fire(self.views, now, time.monotonic(), self._recorded_at, history)
        await self._fired(records)
        return len(records)

    def _fire_history(self) -> None:
        """What history had let pass goes out with what was folded of it."""
        backfilled, self._backfilled = self._backfilled, {}
        found = passed_in_history(self.views, backfilled) if backfilled else []
        for deadline, _ in found:
            self._firing.note(deadline, time.monotonic())
        if found:
            self._sending.append(asyncio.create_task(self._fired([record for _, record in found])))

    async def _fired(self, records: Iterable[NewRecord]) -> None:
        self._may_write()
        by_partition: dict[int, list[Output]] = {}
        for record in records:
            partition, output = event_output(record, self._places)
            by_partition.setdefault(partition, []).append(output)
        await asyncio.gather(*(self._send(partition, outputs) for partition, outputs in by_partition.items()))

    async def close(self) -> None:
        """Let go. What was folded since the last checkpoint is folded again by whoever owns it then."""
        self._broken = True
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        async with self._checkpointing:
            _cancel(self._waiting)
            self._sending, self._waiting = [], []
            self.views.close()

    async def _sent(self, folded: Folded) -> None:
        self._may_write()
        by_partition: dict[int, list[Output]] = {self.number: folded.links}
        for partition, output in folded.carried:
            by_partition.setdefault(partition, []).append(output)
        writing = [self._send(partition, outputs) for partition, outputs in by_partition.items() if outputs]
        if folded.set_aside:
            writing.append(self._send(0, folded.set_aside))
        await asyncio.gather(*writing)

    def _count(self, folded: Folded) -> None:
        self.counted.events += folded.events
        self.counted.repeated += folded.repeated
        self.refused += len(folded.set_aside)
        newest = folded.recorded_at
        if newest is not None and (self._recorded_at is None or newest > self._recorded_at):
            self._recorded_at = newest


def _cancel(waiting: Iterable[asyncio.Future[None]]) -> None:
    """What is cancelled is never acknowledged."""
    for done in waiting:
        done.cancel()
