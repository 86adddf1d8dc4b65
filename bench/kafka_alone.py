"""The fold without an engine: what is left of an event's time when nothing is read, written or kept."""

from __future__ import annotations

from bench.kafka_events import event
from bench.kafka_fold import Fold, View
from bench.kafka_task import told


def main() -> None:
    """Views in memory, as in ours; the events are made before the watch starts."""
    task = told()
    made = [event(number) for number in range(task.events)]
    keys, values = [each[0] for each in made], [each[1] for each in made]
    del made
    fold = Fold(task.events, task.warm)
    views: dict[bytes, View] = {}
    for key, value in zip(keys, values, strict=True):
        views[key] = fold(views.get(key), value)
    fold.tell()


if __name__ == "__main__":
    main()
