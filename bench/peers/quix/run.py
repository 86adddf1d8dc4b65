"""Quix Streams: a stateful function, its state in RocksDB and on a changelog, checkpoints as by default.

https://quix.io/docs/quix-streams/advanced/stateful-processing.html (`update(stateful=True)`),
https://quix.io/docs/quix-streams/advanced/checkpointing.html (every 5 s),
https://quix.io/docs/quix-streams/configuration.html#processing-guarantees (at-least-once is the default).
"""

from __future__ import annotations

from quixstreams import Application, State

from bench.kafka_fold import Fold
from bench.kafka_task import Task, told


def run(task: Task) -> None:
    """Ends with the last checkpoint committed."""
    fold = Fold(task.events, task.warm)
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.name,
        auto_offset_reset="earliest",
        processing_guarantee=task.options["guarantee"],
        state_dir=task.directory,
        loglevel=None,
    )

    def case(value: bytes, state: State) -> None:
        state.set("view", fold(state.get("view"), value))
        if fold.done:
            app.stop()

    events = app.topic(task.source, key_deserializer="bytes", value_deserializer="bytes")
    app.dataframe(events).update(case, stateful=True)
    app.run()
    fold.tell(changelog=f"changelog__{task.name}--{task.source}--default")


run(told())
