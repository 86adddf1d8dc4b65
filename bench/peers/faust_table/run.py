"""Stock Faust: an agent that keeps the views in a Table, one message at a time.

https://faust-streaming.github.io/faust/userguide/tables.html: the table's store is in memory here, which is quicker
than the RocksDB that the page recommends for large tables; every change is written to the table's changelog.
"""

from __future__ import annotations

import asyncio
from typing import Any

import faust
import uvloop

from bench.kafka_fold import Fold
from bench.kafka_task import Task, told


async def run(task: Task) -> None:
    """Ends with every change acknowledged and the position committed."""
    fold = Fold(task.events, task.warm)
    over = asyncio.Event()
    app = faust.App(
        task.name,
        broker=f"kafka://{task.bootstrap}",
        datadir=task.directory,
        store="memory://",
        topic_disable_leader=True,
        topic_partitions=int(task.options["partitions"]),
        topic_replication_factor=1,
        producer_acks=-1,
        web_enabled=False,
    )
    source = app.topic(task.source, key_type=str, key_serializer="raw", value_serializer="raw")
    views = app.Table("views", key_type=str)

    @app.agent(source)
    async def cases(events: Any) -> None:
        async for case, value in events.items():
            views[case] = fold(views.get(case), value)
            if fold.done:
                over.set()

    await app.start()
    await over.wait()
    await app.producer.flush()
    await app.commit({task.source})
    fold.tell(changelog=f"{task.name}-views-changelog")
    await app.stop()


uvloop.install()
asyncio.run(run(told()))
