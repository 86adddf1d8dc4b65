"""A plain loop on aiokafka: read, fold, write the newest views, wait for them, commit.

https://aiokafka.readthedocs.io/en/stable/consumer.html (getmany, manual commit) and
https://aiokafka.readthedocs.io/en/stable/producer.html (idempotent, acks=all).
"""

from __future__ import annotations

import asyncio

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.kafka_fold import Fold, View
from bench.kafka_task import Task, told


async def run(task: Task) -> None:
    """The views stay in memory; those that a fetch changed are written once each, then the position is committed."""
    consumer = AIOKafkaConsumer(
        task.source,
        bootstrap_servers=task.bootstrap,
        group_id=task.name,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=task.bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    fold = Fold(task.events, task.warm)
    views: dict[bytes, View] = {}
    async with consumer, producer:
        while not fold.done:
            sent = []
            for partition, records in (await consumer.getmany(timeout_ms=1_000)).items():
                changed = {}
                for record in records:
                    views[record.key] = changed[record.key] = fold(views.get(record.key), record.value)
                for key, view in changed.items():
                    sent.append(
                        await producer.send(task.target, orjson.dumps(view), key=key, partition=partition.partition)
                    )
            await asyncio.gather(*sent)
            await consumer.commit()
        fold.tell(changelog=task.target)


asyncio.run(run(told()))
