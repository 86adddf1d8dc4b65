"""What is not as the catalogue has it. Pure: two descriptions in, their differences out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from services.engine.kafka.topics.catalogue import CLOSED_BYTES, LARGEST, Topic
from services.engine.kafka.topics.standing import TopicStanding

MIGRATE = "ccr kafka topics repartition"
"""What raises a partition count."""
_REOPEN = (
    f"a repartition that runs, or was cut off, lets nothing more be written: once none runs, {MIGRATE} again, or give "
    "it up with ccr kafka topics apply"
)
_OURS_TO_CHANGE = frozenset({"topic", "setting"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it has to be."""

    topic: str
    what: Literal["topic", "setting", "partitions", "copies"]
    name: str
    """The setting's name; else what is counted."""
    has: str
    wants: str
    remedy: str = ""
    """What a person must do, when `apply` cannot, or should not without being asked."""

    @property
    def applicable(self) -> bool:
        """Whether `apply` can settle it."""
        return self.what in _OURS_TO_CHANGE

    @property
    def closed(self) -> bool:
        """Whether a repartition closed the topic, and did not come to its end."""
        return self.name == LARGEST and self.has == CLOSED_BYTES

    def __str__(self) -> str:
        if self.what == "topic":
            return f"{self.topic}: does not exist"
        return f"{self.topic}: {self.name} is {self.has}, has to be {self.wants}" + (
            f"; {self.remedy}" if self.remedy else ""
        )


def differences(wanted: Iterable[Topic], found: Mapping[str, TopicStanding]) -> tuple[Difference, ...]:
    """In the catalogue's order; empty when all is as it has to be. Other topics are not ours."""
    return tuple(each for topic in wanted for each in _of_one(topic, found.get(topic.name)))


def _of_one(topic: Topic, found: TopicStanding | None) -> Iterable[Difference]:
    if found is None:
        yield Difference(topic.name, "topic", "topic", "missing", f"{topic.partitions} partition(s)")
        return
    if found.partitions != topic.partitions:
        yield Difference(
            topic.name,
            "partitions",
            "partitions",
            str(found.partitions),
            str(topic.partitions),
            _partition_remedy(topic, found),
        )
    if found.copies != topic.copies:
        yield Difference(
            topic.name,
            "copies",
            "copies",
            str(found.copies),
            str(topic.copies),
            "move its replicas with Kafka's own kafka-reassign-partitions",
        )
    for name, value in sorted(topic.settings.items()):
        has = found.settings.get(name, "")
        if has != value:
            different = Difference(topic.name, "setting", name, has, value)
            yield replace(different, remedy=_REOPEN) if different.closed else different
    for name in sorted(found.set_here - set(topic.settings)):
        yield Difference(topic.name, "setting", name, found.settings[name], "the broker's default")


def _partition_remedy(topic: Topic, found: TopicStanding) -> str:
    if topic.partitions < found.partitions:
        return "partitions cannot be taken away: ask for as many as there are"
    if topic.by_case:
        return f"a case would move to another partition than its history: {MIGRATE}"
    return "add them with Kafka's own kafka-topics --alter"
