"""A plain loop on librdkafka: read, fold, write the newest views, wait for them, commit.

https://docs.confluent.io/kafka-clients/python/current/overview.html (synchronous commits, at least once) and
https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md#high-throughput (batch and linger).
"""

from __future__ import annotations

import orjson
from confluent_kafka import Consumer, KafkaException, Producer

from bench.kafka_fold import Fold, View
from bench.kafka_task import Task, told

AT_ONCE = 5_000
"""Records taken at once. Of 2,000, 5,000, 10,000 and 20,000 the quickest here, by up to a tenth."""
PATIENCE_S = 60.0


def run(task: Task) -> None:
    """The views stay in memory; those that a batch changed are written once each, then the position is committed."""
    consumer = Consumer(
        {
            "bootstrap.servers": task.bootstrap,
            "group.id": task.name,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": task.bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": 5,
            "batch.size": 512 * 1024,
        }
    )
    consumer.subscribe([task.source])
    fold = Fold(task.events, task.warm)
    views: dict[bytes, View] = {}
    while not fold.done:
        changed: dict[bytes, tuple[int, View]] = {}
        for record in consumer.consume(AT_ONCE, timeout=0.1):
            if record.error():
                raise KafkaException(record.error())
            key = record.key()
            view = views[key] = fold(views.get(key), record.value())
            changed[key] = record.partition(), view
        for key, (partition, view) in changed.items():
            producer.produce(task.target, orjson.dumps(view), key=key, partition=partition)
        if changed:
            if producer.flush(PATIENCE_S):
                raise RuntimeError("views were not acknowledged")
            consumer.commit(asynchronous=False)
    fold.tell(changelog=task.target)
    consumer.close()


run(told())
