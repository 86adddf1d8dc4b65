"""A standby to which Kafka does not answer says so, and says when it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.engine.kafka.topics import KafkaUnreachable
from services.engine.kafka.views import Standby, standby


async def test_the_end_of_an_outage_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries, reading = ["away", "away"], asyncio.Event()

    @asynccontextmanager
    async def reader(*_: object) -> AsyncIterator[None]:
        if tries:
            raise KafkaUnreachable(tries.pop())
        reading.set()
        yield

    monkeypatch.setattr(standby, "reader", reader)
    monkeypatch.setattr(standby, "FIRST_RETRY_S", 0.001)
    running = asyncio.create_task(Standby(tmp_path, "127.0.0.1:1").run())
    await reading.wait()
    await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert [entry.getMessage() for entry in caplog.records] == [
        "the standby waits: away",
        "the standby waits: away",
        "the standby goes on: Kafka answers again",
    ]
