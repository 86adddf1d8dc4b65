"""More partitions: every record in order with its case, the same partition in every topic, and readers that read on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.engine.kafka.topics import Size, apply, catalogue, cluster_admin, plan
from services.engine.kafka.topics import repartition as module
from services.engine.kafka.topics.catalogue import CASE_VIEWS, EVENTS, LINKS
from services.engine.kafka.topics.layout import Layout, read_layout, write_layout
from services.engine.kafka.topics.repartition import RepartitionRefused, repartition

NOW = Size(partitions=3, copies=1)
CASES = 30


def test_generations_have_names_of_their_own() -> None:
    assert Size(4, 1).named(EVENTS) == EVENTS
    assert Size(4, 1, generation=3).named(EVENTS) == "ccr.events.g3"
    assert {t.name for t in catalogue(Size(4, 1, 2)) if not t.by_case} == {
        t.name for t in catalogue(Size(4, 1)) if not t.by_case
    }
    with pytest.raises(ValueError, match="counted from 1"):
        Size(4, 1, 0)


@pytest.mark.kafka
@pytest.mark.asyncio(loop_scope="session")
class TestOnABroker:
    @pytest_asyncio.fixture(loop_scope="session")
    async def bootstrap(self, shared_broker: str) -> AsyncIterator[str]:
        async with cluster_admin(shared_broker) as admin:
            await apply(admin, catalogue(NOW), await plan(shared_broker, catalogue(NOW)))
            await self.filled(shared_broker)
            yield shared_broker
            ours = [name for name in await admin.list_topics() if name.startswith("ccr.")]
            await admin.delete_topics(ours)
            while any(name in ours for name in await admin.list_topics()):
                await asyncio.sleep(0.05)

    async def filled(self, bootstrap: str) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
            for number in range(900):
                key, headers = b"case-%d" % (number % CASES), [("id", b"%d" % number)]
                for topic in (EVENTS, LINKS, CASE_VIEWS):
                    value = None if topic == CASE_VIEWS and number % 91 == 0 else b"%d" % number
                    await producer.send(topic, value, key=key, headers=headers, timestamp_ms=1_770_000_000_000 + number)
            await producer.flush()

    async def all_of(self, bootstrap: str, topic: str, partitions: int) -> dict[int, list[tuple[object, ...]]]:
        found: dict[int, list[tuple[object, ...]]] = defaultdict(list)
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            tps = [TopicPartition(topic, number) for number in range(partitions)]
            consumer.assign(tps)
            for tp, end in (await consumer.end_offsets(tps)).items():
                while await consumer.position(tp) < end:
                    record = await consumer.getone(tp)
                    found[tp.partition].append((record.key, record.value, record.timestamp, record.headers))
        return found

    def by_case(self, found: dict[int, list[tuple[object, ...]]]) -> dict[object, list[tuple[object, ...]]]:
        cases: dict[object, list[tuple[object, ...]]] = defaultdict(list)
        for records in found.values():
            for record in records:
                cases[record[0]].append(record)
        return cases

    async def reads(self, bootstrap: str, group: str, topics: Sequence[str], partitions: int) -> None:
        """A service that read everything and was stopped."""
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
        async with consumer:
            tps = [TopicPartition(topic, number) for topic in topics for number in range(partitions)]
            consumer.assign(tps)
            await consumer.commit(await consumer.end_offsets(tps))

    async def test_every_record_keeps_its_case_and_its_order(self, bootstrap: str, fresh: str) -> None:
        await self.reads(bootstrap, fresh, [EVENTS, LINKS], 3)
        told: list[tuple[int, int]] = []
        done = await repartition(bootstrap, NOW, 8, lambda *each: told.append(each))
        assert (done.records, done.after, done.groups) == (2_700, Size(8, 1, 2), (fresh,))
        assert told[-1] == (2_700, 2_700)
        assert await read_layout(bootstrap) == Layout(generation=2, partitions=8)

        partition_of: dict[object, set[int]] = defaultdict(set)
        for topic in (EVENTS, LINKS, CASE_VIEWS):
            old = await self.all_of(bootstrap, topic, 3)
            new = await self.all_of(bootstrap, done.after.named(topic), 8)
            assert self.by_case(new) == self.by_case(old)
            for partition, records in new.items():
                for key, *_ in records:
                    partition_of[key].add(partition)
        assert len(partition_of) == CASES
        assert all(len(partitions) == 1 for partitions in partition_of.values()), "a case lies in one partition number"
        assert len({number for numbers in partition_of.values() for number in numbers}) > 3

        assert await plan(bootstrap, catalogue(done.after)) == ()
        async with cluster_admin(bootstrap) as admin:
            positions = await admin.list_consumer_group_offsets(fresh)
        lengths = {
            number: len(records) for number, records in (await self.all_of(bootstrap, "ccr.events.g2", 8)).items()
        }
        assert {tp.partition: each.offset for tp, each in positions.items() if tp.topic == "ccr.events.g2"} == {
            number: lengths.get(number, 0) for number in range(8)
        }

        again = await repartition(bootstrap, done.after, 9)
        assert again.after == Size(9, 1, 3)

    async def test_refused_while_a_service_has_not_read_everything(self, bootstrap: str, fresh: str) -> None:
        await self.reads(bootstrap, fresh, [EVENTS], 3)
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            await producer.send_and_wait(EVENTS, b"late", key=b"case-1")
        with pytest.raises(RepartitionRefused, match=rf"{fresh} has not read all of ccr\.events"):
            await repartition(bootstrap, NOW, 8)
        assert await read_layout(bootstrap) is None

    async def test_refused_while_a_service_runs(self, bootstrap: str, fresh: str) -> None:
        await self.reads(bootstrap, fresh, [EVENTS], 3)
        async with AIOKafkaConsumer(EVENTS, bootstrap_servers=bootstrap, group_id=fresh) as consumer:
            await consumer.getmany(timeout_ms=200)
            while not consumer.assignment():
                await asyncio.sleep(0.05)
            with pytest.raises(RepartitionRefused, match=rf"{fresh} runs \(1 worker"):
                await repartition(bootstrap, NOW, 8)

    async def test_refused_when_something_was_written_meanwhile(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copied = module._copied

        async def disturbed(*given: object) -> int:
            found = await copied(*given)  # type: ignore[arg-type]
            async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
                await producer.send_and_wait(EVENTS, b"late", key=b"case-1")
            return found

        with monkeypatch.context() as writing:
            writing.setattr(module, "_copied", disturbed)
            with pytest.raises(RepartitionRefused, match="wrote to the topics while"):
                await repartition(bootstrap, NOW, 8)
        assert await read_layout(bootstrap) is None
        # What that run left half is no hindrance.
        assert (await repartition(bootstrap, NOW, 8)).records == 2_701

    async def test_a_record_of_no_case_is_refused(self, bootstrap: str) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
            await producer.send_and_wait(LINKS, b"of nobody", partition=2)
        with pytest.raises(RepartitionRefused, match=r"ccr\.links, partition 2, offset \d+ has no case"):
            await repartition(bootstrap, NOW, 8)

    async def test_partitions_cannot_be_taken_away(self, bootstrap: str) -> None:
        with pytest.raises(ValueError, match="only be added: there are 3, asked for are 3"):
            await repartition(bootstrap, NOW, 3)

    async def test_the_newest_layout_counts(self, bootstrap: str) -> None:
        assert await read_layout(bootstrap) is None
        for generation in (1, 2, 3):
            await write_layout(bootstrap, Layout(generation, 4 * generation))
        assert await read_layout(bootstrap) == Layout(3, 12)
        assert Layout(3, 12).size(copies=1) == Size(12, 1, 3)
