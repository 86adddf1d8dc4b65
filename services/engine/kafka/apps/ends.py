"""Where partitions end, as their broker says: asked on a connection of its own, for reading that has stalled would hide
what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from services.engine.kafka.apps.settings import AppSettings
from services.engine.kafka.security import aiokafka_settings

ASK_S = 1.0
"""How often it is asked."""
ANSWER_S = 5.0
"""How long one answer may take; then what was known stays, and it is asked again."""


class Ends:
    """Of the partitions that a worker has, the offset behind the newest record."""

    def __init__(self, settings: AppSettings, wanted: Callable[[], Collection[TP]]) -> None:
        """`wanted`: the partitions that it has now."""
        self._settings = settings
        self._wanted = wanted
        self._known: dict[TP, int] = {}

    def of(self, tp: TP) -> int | None:
        """The end of a partition when it was asked last; None while that is unknown."""
        return self._known.get(tp)

    async def run(self) -> None:
        """Ask again and again, also while Kafka does not answer."""
        while True:
            asking = self._asking()
            try:
                await asking.start()
                while True:
                    await self._ask(asking)
                    await asyncio.sleep(ASK_S)
            except KafkaError:
                await asyncio.sleep(ASK_S)
            finally:
                await asking.stop()

    async def _ask(self, asking: AIOKafkaConsumer) -> None:
        wanted = [TopicPartition(tp.topic, tp.partition) for tp in self._wanted()]
        found: dict[TopicPartition, int] = {}
        if wanted:
            with suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(ANSWER_S):
                    found = await asking.end_offsets(wanted)
        told = {TP(tp.topic, tp.partition): end for tp, end in found.items()}
        self._known = {tp: end for tp, end in {**self._known, **told}.items() if tp in wanted}

    def _asking(self) -> AIOKafkaConsumer:
        # A broker answers what comes on one connection in order, and on the app's own it waits for records.
        settings = self._settings
        return AIOKafkaConsumer(bootstrap_servers=settings.bootstrap.split(","), **aiokafka_settings(settings.security))
