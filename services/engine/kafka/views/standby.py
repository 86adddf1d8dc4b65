"""Follows `ccr.case-views` of partitions that this worker does not own into local files of its own, so that taking one
over needs only the last moments of it.

A file has one user. The standby lets it go before the partition is opened, and takes it back when it was closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.engine.kafka.batches.records import FetchedRecords
from services.engine.kafka.security import Security
from services.engine.kafka.topics import KafkaUnreachable
from services.engine.kafka.topics.catalogue import CASE_VIEWS
from services.engine.kafka.views.file import PartitionFile
from services.engine.kafka.views.following import Following, Foreign
from services.engine.kafka.views.reading import bounds, reader
from services.engine.kafka.views.threads import in_thread
from services.engine.transaction import StorageFailed

POLL_MS = 250
"""How long a fetch waits for something new, and how soon a change of what is followed is noticed."""
FIRST_RETRY_S = 0.5
"""Wait after Kafka did not answer; doubled each time."""
LONGEST_RETRY_S = 15.0
"""Longest wait between two tries. A standby never gives up: whoever takes over reads what it lacks."""
REFUSED_RETRY_S = 60.0
"""How often a partition whose file the disk refused, or another worker has, is tried again."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """How far one partition is followed."""

    read_to: int
    """Offset in the views' topic."""
    behind: int | None
    """Records that are not read yet; None until the broker has told."""


class Standby:
    """Follows the partitions it was told to. One for each worker; `run` it beside the worker."""

    def __init__(
        self, directory: Path, bootstrap: str, *, topic: str = CASE_VIEWS, security: Security | None = None
    ) -> None:
        """`directory` and `topic` as for `open_partition`."""
        self._directory, self._bootstrap, self._topic, self._security = directory, bootstrap, topic, security
        self._wanted: frozenset[int] = frozenset()
        self._following: dict[int, Following] = {}
        self._read: dict[int, Following] = {}
        """Those that are read from Kafka now; others of `_following` not yet."""
        self._behind: dict[int, int] = {}
        self._refused: dict[int, tuple[str, float]] = {}
        self._files = asyncio.Lock()

    @property
    def followed(self) -> Mapping[int, Followed]:
        """How far each partition is followed."""
        return {
            number: Followed(each.file.standing.read_to, self._behind.get(number))
            for number, each in self._following.items()
        }

    @property
    def refused(self) -> Mapping[int, str]:
        """Why partitions that should be followed are not."""
        return {number: why for number, (why, _) in self._refused.items()}

    async def follow(self, partitions: Collection[int]) -> None:
        """Follow these and no others. Files of the others are closed when this returns, so that they may be opened."""
        self._wanted = frozenset(partitions)
        async with self._files:
            for number in self._following.keys() - self._wanted:
                self._behind.pop(number, None)
                await in_thread(self._following.pop(number).file.close)
        for number in self._refused.keys() - self._wanted:
            del self._refused[number]

    async def release(self, partition: int) -> None:
        """Stop following a partition: its file may be opened when this returns."""
        await self.follow(self._wanted - {partition})

    async def take_back(self, partition: int) -> None:
        """Follow a partition again, which this worker has closed."""
        await self.follow(self._wanted | {partition})

    async def run(self) -> None:
        """Follow until cancelled."""
        retry_s, waited = FIRST_RETRY_S, False
        try:
            while True:
                try:
                    async with reader(self._bootstrap, (self._topic,), self._security) as consumer:
                        if waited:
                            _log.warning("the standby goes on: Kafka answers again")
                        self._read, waited = {}, False
                        while True:
                            await self._turn(consumer)
                            retry_s = FIRST_RETRY_S
                except KafkaUnreachable as silent:
                    _log.warning("the standby waits: %s", silent)
                    waited = True
                except Exception as defect:  # whatever it is: who owns partitions must not end for those of others
                    _log.error("the standby begins anew after a defect: %s", type(defect).__name__)
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, LONGEST_RETRY_S)
        finally:
            await self.follow(())

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        """Take up what is to be followed, and bring in one fetch. Raises `KafkaError`."""
        await self._take_up()
        if self._read != self._following:
            await self._read_on(consumer)
        if not self._read:
            await asyncio.sleep(POLL_MS / 1000)
            return
        for part, pages in (await consumer.getmany(timeout_ms=POLL_MS)).items():
            for page in pages:
                await self._bring(part.partition, page)
        for number, following in self._read.items():
            end = consumer.highwater(TopicPartition(self._topic, number))
            if end is not None and self._following.get(number) is following:
                self._behind[number] = max(0, end - following.file.standing.read_to)

    async def _take_up(self) -> None:
        """Open the files of partitions that are to be followed."""
        now_s = asyncio.get_running_loop().time()
        for number in sorted(self._wanted - self._following.keys()):
            if now_s < self._refused.get(number, ("", now_s))[1]:
                continue
            async with self._files:
                if number not in self._wanted:
                    continue
                try:
                    file = await in_thread(PartitionFile, self._directory, self._topic, number)
                except StorageFailed as refused:
                    self._refuse(number, refused)
                    continue
                self._refused.pop(number, None)
                self._following[number] = Following(file)

    async def _read_on(self, consumer: AIOKafkaConsumer) -> None:
        """Read every partition from where its file ends. A file that goes further than Kafka is begun anew."""
        for number in list(self._following):
            first, end = await bounds(consumer, TopicPartition(self._topic, number))
            async with self._files:
                following = self._following.get(number)
                read_to = 0 if following is None else following.file.standing.read_to
                if following is not None and (read_to > end or 0 < read_to < first):
                    await self._anew(number, following, f"Kafka has {first} to {end} of the views, not {read_to}")
        async with self._files:
            self._read = dict(self._following)
            starts = {number: following.file.standing.read_to for number, following in self._read.items()}
        consumer.assign([TopicPartition(self._topic, number) for number in starts])
        for number, start in starts.items():
            part = TopicPartition(self._topic, number)
            consumer.seek(part, max(start, (await bounds(consumer, part))[0]))

    async def _bring(self, number: int, page: FetchedRecords) -> None:
        async with self._files:
            following = self._following.get(number)
            if following is None or self._read.get(number) is not following:
                return  # let go, or begun anew, since this was fetched
            try:
                await in_thread(following.take, page)
            except Foreign as foreign:
                await self._anew(number, following, str(foreign))
            except StorageFailed as refused:
                del self._following[number]
                await in_thread(following.file.close)
                self._refuse(number, refused)

    async def _anew(self, number: int, following: Following, why: str) -> None:
        try:
            await in_thread(following.file.start_anew, why)
        except StorageFailed as refused:
            del self._following[number]
            self._refuse(number, refused)
            return
        _log.warning("the standby begins anew: %s", following.file.set_aside)
        self._following[number] = Following(following.file)

    def _refuse(self, number: int, refused: StorageFailed) -> None:
        _log.warning("the standby does not follow partition %d: %s", number, refused)
        self._behind.pop(number, None)
        self._refused[number] = (str(refused), asyncio.get_running_loop().time() + REFUSED_RETRY_S)
