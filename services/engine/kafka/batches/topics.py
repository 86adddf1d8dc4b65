"""Which topics of an app are handed out in batches; all others are stock Faust's."""

from __future__ import annotations

from collections.abc import Set
from typing import cast
from weakref import WeakKeyDictionary

from faust import Topic
from faust.types import AppT, TopicT

MAX_WAITING = 8
"""Batches that wait for an agent, of all partitions together; then fetching pauses, as with Faust's own full buffer."""
_BATCHED: WeakKeyDictionary[AppT, set[str]] = WeakKeyDictionary()


def batch_topic(app: AppT, name: str) -> TopicT:
    """A topic whose agents are handed a `RecordBatch` at a time; its keys and values stay bytes."""
    _BATCHED.setdefault(app, set()).add(name)
    topic = cast(Topic, app.topic(name, key_serializer="raw", value_serializer="raw"))
    # `app.topic` takes a `maxsize` too, and drops it (faust-streaming 0.15).
    topic.maxsize = MAX_WAITING
    return topic


def batched_topics(app: AppT) -> Set[str]:
    """Names of an app's batch topics, also of those to come."""
    return _BATCHED.setdefault(app, set())
