"""A script played to workers under faults: events published, the clock moved on, and waited for what is to come of it.

What the backbone itself writes to `ccr.events` is awaited where the calm engine had it: before the next event of the
same case, and, a deadline, before anything else. However long a fault holds it up, it must come.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

from aiokafka import AIOKafkaConsumer, TopicPartition

from ccr_events.core.codec import decode_transition
from ccr_events.core.derive import DEADLINE_REACHED
from ccr_events.envelope import read_fact
from services.casebook.partition import UNTOLD
from services.engine.kafka.outgoing import EventRecord
from tests.faults.cluster import POISONED, Cluster
from tests.faults.comparing import Differences, Differs
from tests.support.kafka_steps import Stepped

AT_ONCE = 25
"""Events that are written together, at most."""
COMES_WITHIN_S = 120.0
"""How long something may be held up by faults before it counts as lost."""
HELD_UP_S = 1.0
"""How long a deadline is due and not fired before it counts as held up."""
LOOK_S = 0.05


@dataclass
class Publishing:
    """Over one cluster."""

    cluster: Cluster
    script: Stepped
    _written_s: dict[str, float] = field(default_factory=dict)
    """Event id → when it was acknowledged."""
    _told_s: dict[str, float] = field(default_factory=dict)
    """Event id → when the first transition came that it causes."""
    _stand: set[str] = field(default_factory=set)
    """Ids of events on the topic."""
    _told: set[str] = field(default_factory=set)
    """Ids of transitions on the topic."""
    _to_come: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Case → ids of events that the backbone is to write next."""
    _due: set[str] = field(default_factory=set)
    """Those of them that are deadlines the clock has reached."""
    _over: bool = False

    async def publish(self, seconds: float) -> None:
        """Everything, spread over the time, or longer where faults hold up what is awaited."""
        log, began_s = self.script.made.log, monotonic()
        some: list[EventRecord] = []

        async def written() -> None:
            if some:
                await write(some)
                self._written_s |= dict.fromkeys((read_fact(each.value).id for each in some), monotonic())
                some.clear()

        async with self.cluster.producer() as write:
            for place, record in enumerate([*log, None]):
                if (at := self.script.moves.get(place)) is not None:
                    await written()
                    await self._until_come()
                    self.cluster.clocks.move_to(at)
                if record is None:
                    break
                fact = read_fact(record.value)
                if fact.id not in self.script.published:
                    self._to_come[record.key].add(fact.id)
                    if fact.type == DEADLINE_REACHED:
                        self._due.add(fact.id)
                    continue
                if self._due or self._to_come[record.key]:
                    await written()
                    await self._until_come(None if self._due else record.key)
                some.append(record)
                if len(some) == AT_ONCE:
                    await written()
                    await asyncio.sleep(max(0.0, began_s + seconds * place / len(log) - monotonic()))
            await written()
            await self._until_come()
        self._over = True

    async def held_up(self, at_most_s: float) -> int:
        """Wait until deadlines have been due for a while and are not fired; returns how many, 0 when none was."""
        until_s, since_s, before = monotonic() + at_most_s, monotonic(), set[str]()
        while monotonic() < until_s and not self._over:
            await asyncio.sleep(LOOK_S)
            due = self._due - self._stand
            if not due or due != before:
                before, since_s = due, monotonic()
            elif monotonic() - since_s > HELD_UP_S:
                return len(due)
        return 0

    async def until_told(self) -> None:
        """Wait until every transition there is to be was told of, or for so long that what lacks is lost."""
        until_s = monotonic() + COMES_WITHIN_S
        while not self._told >= self.script.made.transitions.keys() and monotonic() < until_s:
            await asyncio.sleep(LOOK_S)

    async def watch(self) -> None:
        """See what comes, until cancelled."""
        places, numbers = self.cluster.places, range(self.cluster.size.partitions)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.cluster.bootstrap, auto_offset_reset="earliest")
        async with consumer:
            consumer.assign([TopicPartition(topic, n) for topic in (places.links, places.events) for n in numbers])
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        if tp.topic == places.links and UNTOLD not in dict(record.headers):
                            told = decode_transition(record.value)
                            self._told.add(told.id)
                            self._told_s.setdefault(told.cause, monotonic())
                        elif tp.topic == places.events and record.key != POISONED:
                            self._stand.add(read_fact(record.value).id)

    def longest_stall_s(self) -> float:
        """From an event's acknowledgement to the first transition that it causes, at most."""
        waits = (self._told_s[each] - at_s for each, at_s in self._written_s.items() if each in self._told_s)
        return max(waits, default=0.0)

    async def _until_come(self, case: bytes | None = None) -> None:
        """Everything the backbone is to write by now, or what it is to write to a case. Raises `Differs`."""
        until_s = monotonic() + COMES_WITHIN_S
        wanted = [self._to_come[case]] if case is not None else list(self._to_come.values())
        while lacking := set[str]().union(*wanted) - self._stand:
            if monotonic() > until_s:
                lost = Differences(lost=[f"event {each}" for each in sorted(lacking)])
                raise Differs(f"not there after {COMES_WITHIN_S:.0f} s: {lost.told()}")
            await asyncio.sleep(LOOK_S)
        for ids in wanted:
            self._due -= ids
            ids.clear()
