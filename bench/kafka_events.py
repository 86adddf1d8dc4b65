"""The events that every way of the Kafka bench reads, and what their views must be in the end.

As in a log that many agencies write, the events of many open cases lie interleaved: a batch holds few of one case, so
that writing only the newest view of each saves something, and not nearly everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import orjson

PARTITIONS = 4
PER_CASE = 100
"""Events of each case."""
OPEN_CASES = 500
"""So many cases lie interleaved; when each has its events, the next follow."""
EVENT_BYTES = 541
"""Of an event's value: what a sealed event of the scripted week has on average."""
TYPES = ("incident.reported", "arrest.made", "order.issued", "risk.assessed", "hearing.held")
UNACKNOWLEDGED = 20_000
"""Records handed to librdkafka before the filling waits for it."""
PATIENCE_S = 60.0


def event(number: int) -> tuple[bytes, bytes, int]:
    """Key, value and partition of one event, by its number from 0."""
    block, place = divmod(number, OPEN_CASES * PER_CASE)
    turn, lane = divmod(place, OPEN_CASES)
    case = block * OPEN_CASES + lane
    kind = TYPES[(turn + lane) % len(TYPES)]
    key = b"case-%08d" % case
    head = b'{"id":"%012d","type":"%s","case":"%s","n":%d,"sealed":"' % (number, kind.encode(), key, number)
    return key, head + b"x" * (EVENT_BYTES - len(head) - 2) + b'"}', case % PARTITIONS


def whole(events: int) -> int:
    """The nearest number of events, not smaller, with which every case has all its own."""
    block = OPEN_CASES * PER_CASE
    return -(-events // block) * block


def fill(bootstrap: str, topic: str, events: int) -> None:
    """Write so many events, each acknowledged by all replicas."""
    from confluent_kafka import Producer

    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 20, "batch.size": 524_288})
    for number in range(events):
        key, value, partition = event(number)
        producer.produce(topic, value, key=key, partition=partition)
        if number % UNACKNOWLEDGED == 0:
            producer.flush(PATIENCE_S)
    if left := producer.flush(PATIENCE_S):
        raise RuntimeError(f"{left} events of {topic} were not acknowledged within {PATIENCE_S:.0f} s")


def newest(bootstrap: str, topic: str) -> Mapping[bytes, Any]:
    """What a changelog holds at last: key as the tool writes it, to the newest value that is a view."""
    from confluent_kafka import Consumer, TopicPartition

    settings = {"bootstrap.servers": bootstrap, "group.id": uuid4().hex, "isolation.level": "read_committed"}
    consumer = Consumer({**settings, "enable.partition.eof": True, "enable.auto.commit": False})
    try:
        partitions = consumer.list_topics(topic, PATIENCE_S).topics[topic].partitions
        consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
        return dict(_read(consumer, len(partitions)))
    finally:
        consumer.close()


def _read(consumer: Any, partitions: int) -> Iterator[tuple[bytes, Any]]:
    from confluent_kafka import KafkaError

    ended = 0
    while ended < partitions:
        records = consumer.consume(10_000, 1.0)
        for record in records:
            if record.error():
                if record.error().code() != KafkaError._PARTITION_EOF:
                    raise RuntimeError(str(record.error()))
                ended += 1
            elif record.value():
                view = orjson.loads(record.value())
                # Some tools keep notes of their own beside the views.
                if isinstance(view, dict) and "count" in view:
                    yield record.key(), view


def wrong(views: Mapping[bytes, Any], events: int) -> str | None:
    """What is wrong with the views of so many events; None when nothing is. `events` is a `whole` number."""
    cases, found = events // PER_CASE, sum(view["count"] for view in views.values())
    if len(views) != cases or found != events:
        return f"{len(views)} views of {found} events, not {cases} of {events}"
    each = PER_CASE // len(TYPES)
    odd = [view for view in views.values() if view["types"] != dict.fromkeys(TYPES, each)]
    last = sorted(int(view["last"]) for view in views.values())
    if odd or last != sorted(number for number in range(events) if number // OPEN_CASES % PER_CASE == PER_CASE - 1):
        return f"{len(odd)} views with other types than their events have, or another last event"
    return None
