"""Agents of batch topics. Nothing is acknowledged before it is done: stock Faust acknowledges what failed, too."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from faust import Stream
from faust.types import AppT, EventT, StreamT, TopicT

from services.engine.kafka.batches.records import RecordBatch

MAX_UNFINISHED = 16
"""Batches whose outputs are on their way while the next are worked on; then the agent waits for one to finish."""

Work = Callable[[RecordBatch], Awaitable[Awaitable[None] | None]]
"""Works on a batch. What it returns, if anything, must finish too before the batch counts as done."""


def batch_agent(app: AppT, topic: TopicT, work: Work, unfinished: int = MAX_UNFINISHED) -> Any:
    """Make an agent of `work` for a batch topic: one batch after the other, those of a partition in the log's order.

    A batch is acknowledged when `work` returned and what it returned finished. When either fails, nothing more is
    acknowledged and the app crashes: the worker's next start reads on from what is committed. What `work` returned may
    also be cancelled: then its batch is never acknowledged, and the app goes on. `unfinished`: batches that may wait
    for what `work` returned.
    """

    async def agent(stream: StreamT[Any]) -> None:
        unacknowledged = cast(Stream[Any], stream).noack()
        room = asyncio.Semaphore(unfinished)
        try:
            async with asyncio.TaskGroup() as finishing:
                async for event in unacknowledged.events():
                    await room.acquire()
                    remaining = await work(event.value)
                    finishing.create_task(_finish(unacknowledged, event, remaining, room))
        except Exception as failed:
            await app.crash(failed)
            raise

    return app.agent(topic, name=f"batches-of-{topic.get_topic_name()}")(agent)


async def _finish(
    stream: StreamT[Any], event: EventT[RecordBatch], remaining: Awaitable[None] | None, room: asyncio.Semaphore
) -> None:
    try:
        if remaining is not None:
            await remaining
        await stream.ack(event)
    finally:
        room.release()
