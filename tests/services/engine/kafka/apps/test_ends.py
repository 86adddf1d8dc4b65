"""Where partitions end: the broker's word, whatever was read of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.types import TP

from services.engine.kafka.apps import AppSettings, Ends, ends

EVENTS = TP("ccr.events", 3)
OTHER = TP("ccr.events", 4)


class Broker:
    """Answers, refuses, or is silent."""

    def __init__(self) -> None:
        self.ends = {EVENTS: 40, OTHER: 7}
        self.refuses: KafkaError | None = None
        self.silent = False
        self.away = 0
        """So many connections are refused."""
        self.asked = self.open = 0

    async def start(self) -> None:
        self.open += 1
        if self.away:
            self.away -= 1
            raise KafkaConnectionError

    async def stop(self) -> None:
        self.open -= 1

    async def end_offsets(self, wanted: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        self.asked += 1
        if self.silent:
            await asyncio.Event().wait()
        if self.refuses is not None:
            raise self.refuses
        return {tp: self.ends[TP(*tp)] for tp in wanted}


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    one = Broker()
    monkeypatch.setattr(ends, "ASK_S", 0.01)
    monkeypatch.setattr(ends, "ANSWER_S", 0.05)
    monkeypatch.setattr(ends, "AIOKafkaConsumer", lambda **_: one)
    return one


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


async def test_the_broker_is_asked_again_and_again_of_what_the_worker_has(broker: Broker, tmp_path: Path) -> None:
    wanted = [EVENTS]
    known = Ends(AppSettings("casebook", "kafka:9092", tmp_path), lambda: wanted)
    assert known.of(EVENTS) is None
    asking = asyncio.create_task(known.run())
    await until(lambda: known.of(EVENTS) == 40)
    assert known.of(OTHER) is None
    broker.ends[EVENTS] = 45
    wanted.append(OTHER)
    await until(lambda: (known.of(EVENTS), known.of(OTHER)) == (45, 7))
    wanted.remove(EVENTS)
    await until(lambda: known.of(EVENTS) is None)
    asking.cancel()


@pytest.mark.parametrize("how", ["away", "refuses", "silent"])
async def test_a_broker_that_does_not_answer_is_asked_again_and_what_was_known_stays(
    broker: Broker, tmp_path: Path, how: str
) -> None:
    known = Ends(AppSettings("casebook", "kafka:9092", tmp_path), lambda: [EVENTS])
    if how == "away":
        broker.away = 2
    asking = asyncio.create_task(known.run())
    await until(lambda: known.of(EVENTS) == 40)
    broker.refuses, broker.silent, broker.asked = (
        (KafkaConnectionError() if how == "refuses" else None),
        how == "silent",
        0,
    )
    await until(lambda: broker.asked > 2)
    assert known.of(EVENTS) == 40
    broker.refuses, broker.silent = None, False
    broker.ends[EVENTS] = 50
    await until(lambda: known.of(EVENTS) == 50)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert broker.open == 0
