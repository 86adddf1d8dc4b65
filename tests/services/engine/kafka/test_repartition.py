"""More partitions: every record in order with its case, the same partition in every topic, and readers that read on."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from services.engine.kafka.topics import (
    KafkaUnreachable,
    Size,
    TopicsMismatch,
    apply,
    catalogue,
    cluster_admin,
    plan,
    require_topics,
)
from services.engine.kafka.topics import repartition as module
from services.engine.kafka.topics.catalogue import CASE_VIEWS, EVENTS, LINKS, MAX_EVENT_RECORD_BYTES
from services.engine.kafka.topics.closing import close
from services.engine.kafka.topics.layout import Layout, read_layout, write_layout
from services.engine.kafka.topics.repartition import ORIGIN, LeftClosed, RepartitionRefused, repartition

NOW = Size(partitions=3, copies=1)
CASES = 30
LATE = b"an event that comes while the topics are copied"


def producer(bootstrap: str, **more: Any) -> AIOKafkaProducer:
    """As services make it."""
    return AIOKafkaProducer(**{"bootstrap_servers": bootstrap, "acks": "all", "enable_idempotence": True, **more})


def without_origin(found: dict[int, list[tuple[Any, ...]]]) -> dict[int, list[tuple[Any, ...]]]:
    """The records as they were, by partition."""
    return {
        partition: [(*said, tuple(each for each in headers if each[0] != ORIGIN)) for *said, headers in records]
        for partition, records in found.items()
    }


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

    @pytest.fixture(autouse=True)
    def at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One broker acknowledges as soon as it has taken."""
        monkeypatch.setattr(module, "ACKNOWLEDGED_S", 0.1)

    async def filled(self, bootstrap: str) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5) as producer:
            for number in range(900):
                key, headers = b"case-%d" % (number % CASES), [("id", b"%d" % number)]
                for topic in (EVENTS, LINKS, CASE_VIEWS):
                    value = None if topic == CASE_VIEWS and number % 91 == 0 else b"%d" % number
                    await producer.send(topic, value, key=key, headers=headers, timestamp_ms=1_770_000_000_000 + number)
            await producer.flush()

    async def all_of(self, bootstrap: str, topic: str, partitions: int) -> dict[int, list[tuple[Any, ...]]]:
        found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
        async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
            tps = [TopicPartition(topic, number) for number in range(partitions)]
            consumer.assign(tps)
            for tp, end in (await consumer.end_offsets(tps)).items():
                while await consumer.position(tp) < end:
                    record = await consumer.getone(tp)
                    found[tp.partition].append((record.key, record.value, record.timestamp, record.headers))
        return found

    def by_case(self, found: dict[int, list[tuple[Any, ...]]]) -> dict[object, list[tuple[object, ...]]]:
        cases: dict[object, list[tuple[object, ...]]] = defaultdict(list)
        for records in found.values():
            for record in records:
                cases[record[0]].append(record)
        return cases

    def origins(self, found: dict[int, list[tuple[Any, ...]]]) -> dict[object, str]:
        return {key: dict(headers)[ORIGIN].decode() for records in found.values() for key, _, _, headers in records}

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
            assert self.by_case(without_origin(new)) == self.by_case(old)
            if topic == LINKS:
                assert self.origins(new) == {key: f"ccr.links/{n}" for n, records in old.items() for key, *_ in records}
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
        newest = await self.all_of(bootstrap, again.after.named(LINKS), 9)
        assert self.by_case(newest) == self.by_case(await self.all_of(bootstrap, done.after.named(LINKS), 8))

    async def test_a_second_time_it_asks_of_nobody_what_it_never_read(self, bootstrap: str, fresh: str) -> None:
        await self.reads(bootstrap, fresh, [EVENTS], 3)
        done = await repartition(bootstrap, NOW, 4)
        async with producer(bootstrap) as writing:
            for topic in (EVENTS, LINKS, CASE_VIEWS):
                await writing.send_and_wait(done.after.named(topic), b"later", key=b"case-1")
        await self.reads(bootstrap, fresh, [done.after.named(EVENTS)], 4)
        again = await repartition(bootstrap, done.after, 5)
        assert (again.after, again.groups) == (Size(5, 1, 3), (fresh,))

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

    async def test_refused_while_a_service_runs_that_has_not_noted_anything_yet(
        self, bootstrap: str, fresh: str
    ) -> None:
        consumer = AIOKafkaConsumer(LINKS, bootstrap_servers=bootstrap, group_id=fresh, enable_auto_commit=False)
        async with consumer:
            while not consumer.assignment():
                await asyncio.sleep(0.05)
            with pytest.raises(RepartitionRefused, match=rf"{fresh} runs \(1 worker"):
                await repartition(bootstrap, NOW, 8)

    async def test_who_reads_other_topics_may_run(self, bootstrap: str, fresh: str) -> None:
        async with AIOKafkaConsumer("ccr.quarantine", bootstrap_servers=bootstrap, group_id=fresh) as consumer:
            while not consumer.assignment():
                await asyncio.sleep(0.05)
            assert (await repartition(bootstrap, NOW, 8)).groups == ()

    async def test_who_writes_all_the_same_is_refused_by_the_brokers_and_loses_nothing(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copied, refused = module._copied, []
        async with producer(bootstrap) as portal, producer(bootstrap, acks=1, enable_idempotence=False) as careless:
            await portal.send_and_wait(EVENTS, LATE, key=b"case-1")
            await careless.send_and_wait(EVENTS, LATE, key=b"case-1")

            async def disturbed(*given: object) -> int:
                for each in (portal, careless):
                    for topic in (EVENTS, LINKS, CASE_VIEWS):
                        with pytest.raises(KafkaError) as told:
                            await each.send_and_wait(topic, LATE, key=b"case-1")
                        refused.append(type(told.value))
                return await copied(*given)  # type: ignore[arg-type]

            monkeypatch.setattr(module, "_copied", disturbed)
            done = await repartition(bootstrap, NOW, 8)
            assert done.records == 2_702
            assert refused[0] is MessageSizeTooLargeError
            with pytest.raises(KafkaError):
                await portal.send_and_wait(EVENTS, LATE, key=b"case-1")
        async with producer(bootstrap) as restarted:
            with pytest.raises(MessageSizeTooLargeError):
                await restarted.send_and_wait(EVENTS, LATE, key=b"case-1")
            await restarted.send_and_wait(done.after.named(EVENTS), LATE, key=b"case-1")

    async def test_refused_when_something_was_written_meanwhile(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copied = module._copied

        async def disturbed(*given: object) -> int:
            found = await copied(*given)  # type: ignore[arg-type]
            async with cluster_admin(bootstrap) as admin:  # somebody believes that the topics are wrong
                assert await apply(admin, catalogue(NOW), await plan(bootstrap, catalogue(NOW))) == ()
            async with producer(bootstrap) as portal:
                await portal.send_and_wait(EVENTS, LATE, key=b"case-1")
            return found

        with monkeypatch.context() as writing:
            writing.setattr(module, "_copied", disturbed)
            with pytest.raises(RepartitionRefused, match="wrote to the topics while"):
                await repartition(bootstrap, NOW, 8)
        assert await read_layout(bootstrap) is None
        # What that run left half is no hindrance.
        assert (await repartition(bootstrap, NOW, 8)).records == 2_701

    async def test_interrupted_the_old_topics_take_again_what_comes(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begun = asyncio.Event()

        async def hanging(*_: object) -> int:
            begun.set()
            await asyncio.Event().wait()
            return 0

        monkeypatch.setattr(module, "_copied", hanging)
        running = asyncio.create_task(repartition(bootstrap, NOW, 8))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await plan(bootstrap, catalogue(NOW)) == ()
        async with producer(bootstrap) as portal:
            await portal.send_and_wait(EVENTS, LATE, key=b"case-1")

    async def test_killed_it_leaves_them_closed_and_is_run_again(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with cluster_admin(bootstrap) as admin:
            assert await close(admin, [topic for topic in catalogue(NOW) if topic.by_case]) == ()
        left = await plan(bootstrap, catalogue(NOW))
        assert [(each.topic, each.closed) for each in left] == [(t, True) for t in (EVENTS, LINKS, CASE_VIEWS)]
        assert "ccr kafka topics repartition again, or give it up with ccr kafka topics apply" in str(left[0])
        with pytest.raises(TopicsMismatch, match="lets nothing more be written"):
            await require_topics(bootstrap, catalogue(NOW), [EVENTS])
        assert (await repartition(bootstrap, NOW, 8)).records == 2_700

    async def test_it_says_so_when_they_cannot_be_opened_again(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def gone(*_: object) -> None:
            raise KafkaUnreachable("gone")

        monkeypatch.setattr(module, "_copied", gone)
        monkeypatch.setattr(module, "open_again", gone)
        with pytest.raises(LeftClosed, match=r"cut off \(gone\).*ccr kafka topics apply"):
            await repartition(bootstrap, NOW, 8)

    async def test_not_knowing_whether_the_new_ones_count_it_leaves_the_old_ones_closed(
        self, bootstrap: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def unheard(*given: object) -> None:
            await write_layout(*given)  # type: ignore[arg-type]
            raise KafkaConnectionError

        monkeypatch.setattr(module, "write_layout", unheard)
        with pytest.raises(LeftClosed, match="did not confirm"):
            await repartition(bootstrap, NOW, 8)
        async with producer(bootstrap) as portal:
            with pytest.raises(MessageSizeTooLargeError):
                await portal.send_and_wait(EVENTS, LATE, key=b"case-1")

    async def test_a_transaction_that_was_open_comes_to_its_end(self, bootstrap: str, fresh: str) -> None:
        writer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=fresh)
        async with writer:
            await writer.begin_transaction()
            await writer.send_and_wait(EVENTS, LATE, key=b"case-1")
            async with cluster_admin(bootstrap) as admin:
                await close(admin, [topic for topic in catalogue(NOW) if topic.by_case])
            await writer.commit_transaction()
        assert (await repartition(bootstrap, NOW, 8)).records == 2_701

    async def test_the_largest_event_is_copied_too(self, bootstrap: str) -> None:
        async with producer(bootstrap, max_request_size=MAX_EVENT_RECORD_BYTES) as portal:
            await portal.send_and_wait(EVENTS, b"x" * (MAX_EVENT_RECORD_BYTES - 200), key=b"case-1")
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
