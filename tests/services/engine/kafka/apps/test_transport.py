"""The consumer's thread ends, whatever aiokafka is doing when it is told to."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from services.engine.kafka.apps.transport import WorkerConsumerThread
from services.engine.kafka.batches.consumer import BatchConsumerThread


class Client:
    closed = False

    async def close(self) -> None:
        self.closed = True


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def thread(client: Client, monkeypatch: pytest.MonkeyPatch) -> WorkerConsumerThread:
    async def stop(self: BatchConsumerThread) -> None:
        """As aiokafka does: cancel a fetch that pauses, and wait for it."""
        pausing = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        pausing.cancel()
        await pausing

    monkeypatch.setattr(BatchConsumerThread, "on_thread_stop", stop)
    made: Any = WorkerConsumerThread.__new__(WorkerConsumerThread)
    made._consumer = SimpleNamespace(_coordinator=None, _client=client)
    found: WorkerConsumerThread = made
    return found


async def test_a_fetch_that_paused_before_it_was_tried_again(thread: WorkerConsumerThread, client: Client) -> None:
    await thread.on_thread_stop()
    assert client.closed


async def test_whoever_cancels_the_end_itself_is_heard(thread: WorkerConsumerThread) -> None:
    ending = asyncio.create_task(thread.on_thread_stop())
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
