"""The consumer's thread ends, whatever aiokafka is doing when it is told to; reading follows the worker's own state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from services.engine.kafka.apps.transport import WorkerConsumer, WorkerConsumerThread, worker_url
from services.engine.kafka.batches import batch_topic
from services.engine.kafka.batches.consumer import BatchConsumerThread

ONE, TWO, THREE = (TP("ccr.events", number) for number in (1, 2, 3))


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


class Group:
    """The thread behind a consumer, and what the group has committed."""

    def __init__(self) -> None:
        self.committed: dict[TP, int] = {ONE: 10, TWO: 20, THREE: 30}
        self.position: dict[TP, int] = {}
        self.commits: list[Mapping[TP, int]] = []

    def assignment(self) -> set[TP]:
        return set(self.committed)

    async def seek_to_committed(self) -> dict[TP, int]:
        self.position |= self.committed
        return dict(self.committed)

    async def seek_to_committed_of(self, tps: list[TP]) -> dict[TP, int]:
        found = {tp: self.committed[tp] for tp in tps}
        self.position |= found
        return found

    def seek(self, partition: TP, offset: int) -> None:
        self.position[partition] = offset

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.commits.append(offsets)
        return True


@pytest.fixture
async def group() -> Group:
    return Group()


@pytest.fixture
async def consumer(group: Group) -> WorkerConsumer:
    async def nobody(*_: Any) -> None:
        """There are no rebalances here."""

    app = faust.App("reading", broker=worker_url("127.0.0.1:9"), web_enabled=False)
    batch_topic(app, ONE.topic)
    made = app.transport.create_consumer(callback=nobody, on_partitions_revoked=nobody, on_partitions_assigned=nobody)
    assert isinstance(made, WorkerConsumer)
    made._thread.thread_loop.close()  # Faust makes one for the thread, which is never started here.
    made._thread = group  # type: ignore[assignment]
    return made


async def test_without_a_state_reading_begins_where_the_group_has_committed(
    consumer: WorkerConsumer, group: Group
) -> None:
    assert await consumer.seek_to_committed() == {ONE: 10, TWO: 20, THREE: 30}
    assert (group.position, group.commits) == ({ONE: 10, TWO: 20, THREE: 30}, [])


async def test_reading_begins_where_the_state_ends_and_the_group_is_told(
    consumer: WorkerConsumer, group: Group
) -> None:
    consumer.reads_from = {ONE: 4, TWO: 20, THREE: 0}.get
    assert await consumer.seek_to_committed() == {ONE: 4, TWO: 20, THREE: 0}
    assert group.position == {ONE: 4, TWO: 20, THREE: 0}
    assert group.commits == [{ONE: 4, THREE: 0}]


async def test_a_state_ahead_of_the_group_and_one_of_which_nothing_was_committed_go_before(
    consumer: WorkerConsumer, group: Group
) -> None:
    consumer.reads_from = {ONE: 44, TWO: 7}.get
    assert await consumer._sought({ONE: 10, TWO: None, THREE: 30}) == {ONE: 44, TWO: 7}
    assert group.position == {ONE: 44, TWO: 7}
    assert group.commits == [{ONE: 44, TWO: 7}]


async def test_batches_that_are_read_again_are_read_from_the_state_too(consumer: WorkerConsumer, group: Group) -> None:
    consumer.reads_from = {TWO: 22}.get
    await consumer._batches_read_again()
    assert group.position == {ONE: 10, TWO: 22, THREE: 30}
    assert group.commits == [{TWO: 22}]
