"""The fold that every way of the Kafka bench does, and the watch on it.

Peers import this file in their own environments.

It stands for the core, which is measured by `bench.core`: read an event of 541 bytes, count it into the view of its
case. `bench/peers/kafka_streams/CaseViews.java` is the same in Java.
"""

from __future__ import annotations

import json
import time
from typing import Any

import orjson

View = dict[str, Any]
"""`count` of the case's events, id of the `last` one, and how many of each of the `types`."""


class Fold:
    """Counts events into views; the watch starts when the warm-up part is folded."""

    def __init__(self, events: int, warm: int) -> None:
        self.events, self.warm = events, warm
        self.folded = 0
        self._began = self._cpu = 0.0

    def __call__(self, view: View | None, value: bytes) -> View:
        """The case's view with one more event; None for a case not seen before. The view given is changed."""
        event = orjson.loads(value)
        if view is None:
            view = {"count": 0, "last": "", "types": {}}
        view["count"] += 1
        view["last"] = event["id"]
        kind, types = event["type"], view["types"]
        types[kind] = types.get(kind, 0) + 1
        self.folded += 1
        if self.folded == self.warm:
            self._began, self._cpu = time.perf_counter(), time.process_time()
        return view

    @property
    def done(self) -> bool:
        """Whether all events are folded."""
        return self.folded >= self.events

    def tell(self, **more: object) -> None:
        """Print what was measured, as a line of JSON. Called when the last view is durable, as the tool has it."""
        elapsed, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        told = {"events": self.folded - self.warm, "s": elapsed, "cpu_s": cpu, **more}
        print(json.dumps(told), flush=True)
