"""Bytewax: a keyed stateful step between its own Kafka source and sink.

https://docs.bytewax.io/stable/guide/concepts/kafka.html (source and sink),
https://docs.bytewax.io/stable/api/bytewax/bytewax.operators.html#bytewax.operators.stateful_batch,
https://docs.bytewax.io/stable/guide/advanced-concepts/performance.html (batch size),
https://docs.bytewax.io/stable/guide/concepts/recovery.html (snapshots; without them nothing is recovered).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import orjson
from bytewax import operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.kafka_fold import Fold, View
from bench.kafka_task import Task, told

AT_ONCE = 5_000
"""Records of a partition taken at once, as the page on performance has it. Of 1,000 (the default), 5,000 and 10,000 the
quickest here."""
SNAPSHOT_EVERY = timedelta(seconds=10)
"""As with `bytewax.run`, where no other is given."""


class Case(StatefulBatchLogic[bytes, View, View]):
    """A case's view; of a batch of its events only the newest view is handed on."""

    def __init__(self, fold: Fold, view: View | None) -> None:
        self._fold, self._view = fold, view

    def on_batch(self, values: list[bytes]) -> tuple[Iterable[View], bool]:
        """Fold a batch of one case."""
        for value in values:
            self._view = self._fold(self._view, value)
        return ([self._view] if self._view else []), StatefulBatchLogic.RETAIN

    def snapshot(self) -> View:
        """What recovery keeps: a copy, since the view goes on changing."""
        return orjson.loads(orjson.dumps(self._view))


def run(task: Task) -> None:
    """Ends at the topic's end, every view flushed."""
    fold = Fold(task.events, task.warm)
    flow = Dataflow("cases")
    brokers = [task.bootstrap]
    events = kop.input("events", flow, brokers=brokers, topics=[task.source], tail=False, batch_size=AT_ONCE)
    op.raises("errors", events.errs)
    keyed = op.map("by-case", events.oks, _by_case)
    views = op.stateful_batch("cases", keyed, lambda view: Case(fold, view))
    kop.output("views", op.map("encode", views, _encoded), brokers=brokers, topic=task.target)
    recovery = None
    if task.options["recovery"] == "yes":
        directory = Path(task.directory)
        init_db_dir(directory, 1)
        recovery = RecoveryConfig(directory)
    cli_main(flow, workers_per_process=1, epoch_interval=SNAPSHOT_EVERY, recovery_config=recovery)
    fold.tell(changelog=task.target)


def _by_case(record: KafkaSourceMessage[bytes, bytes]) -> tuple[str, bytes]:
    return record.key.decode(), record.value


def _encoded(case: tuple[str, View]) -> KafkaSinkMessage[bytes, bytes]:
    return KafkaSinkMessage(case[0].encode(), orjson.dumps(case[1]))


run(told())
