"""Workers on a real broker: they come, go, fail and are killed; nothing is missing, little is done twice."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

from services.engine.kafka.topics import cluster_admin
from tests.support.kafka import make_topics

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
ROOT = Path(__file__).parents[5]
PARTITIONS = 4
CASES = 40
PATIENCE_S = 90


@contextmanager
def worker(bootstrap: str, name: str, directory: Path, fail_on: str = "") -> Iterator[subprocess.Popen[bytes]]:
    with (directory / "worker.log").open("ab") as log:
        started = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.services.engine.kafka.batches.worker"),
                *(bootstrap, name, f"{name}-in", f"{name}-out", str(directory / "faust"), fail_on),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        try:
            yield started
        finally:
            started.kill()
            started.wait()


@asynccontextmanager
async def topics(bootstrap: str, name: str) -> AsyncIterator[None]:
    async with cluster_admin(bootstrap) as admin:
        names = [f"{name}-in", f"{name}-out"]
        await make_topics(admin, *(NewTopic(each, PARTITIONS, 1) for each in names))
        yield
        await admin.delete_topics(names)


async def write(bootstrap: str, topic: str, first: int, count: int, every_s: float = 0.0) -> None:
    """Event n belongs to case n % CASES."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5) as producer:
        for number in range(first, first + count):
            case = number % CASES
            await producer.send(topic, b"%d" % number, key=b"case-%d" % case, partition=case % PARTITIONS)
            if every_s and number % 100 == 0:
                await asyncio.sleep(every_s)
        await producer.flush()


async def read_until(bootstrap: str, topic: str, wanted: Iterable[int]) -> dict[int, list[int]]:
    """Partition → numbers in the order of the log, once these are there."""
    found: dict[int, list[int]] = defaultdict(list)
    seen: set[int] = set()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(PATIENCE_S):
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        while not seen.issuperset(wanted):
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                found[tp.partition] += [int(record.value) for record in records]
                seen.update(int(record.value) for record in records)
    return found


async def until_committed(bootstrap: str, group: str, count: int) -> None:
    found = 0
    async with cluster_admin(bootstrap) as admin, asyncio.timeout(PATIENCE_S):
        while found < count:
            await asyncio.sleep(0.1)
            # A broker's very first group has to wait for the topic of the offsets.
            with suppress(GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
                found = sum(each.offset for each in (await admin.list_consumer_group_offsets(group)).values())


def first_ones_are_in_order(partition: list[int]) -> bool:
    """Once what was done twice is left out, a case's events are in their order."""
    by_case: dict[int, list[int]] = defaultdict(list)
    for number in dict.fromkeys(partition):
        by_case[number % CASES].append(number)
    return all(numbers == sorted(numbers) for numbers in by_case.values())


async def test_workers_that_come_and_go_and_are_killed_lose_nothing(
    shared_broker: str, fresh: str, tmp_path: Path
) -> None:
    count = 24_000
    async with topics(shared_broker, fresh):
        with (
            worker(shared_broker, fresh, tmp_path) as first,
            worker(shared_broker, fresh, tmp_path) as second,
        ):
            writing = asyncio.create_task(write(shared_broker, f"{fresh}-in", 0, count, every_s=0.05))
            await until_committed(shared_broker, fresh, count // 8)
            second.send_signal(signal.SIGKILL)
            with worker(shared_broker, fresh, tmp_path):
                await until_committed(shared_broker, fresh, count // 2)
                first.send_signal(signal.SIGTERM)
                await writing
                found = await read_until(shared_broker, f"{fresh}-out", range(count))
                await until_committed(shared_broker, fresh, count)
    numbers = Counter(number for partition in found.values() for number in partition)
    assert set(numbers) == set(range(count))
    assert all(first_ones_are_in_order(partition) for partition in found.values())
    assert all(number % CASES % PARTITIONS == partition for partition, found_in in found.items() for number in found_in)
    twice = sum(times - 1 for times in numbers.values())
    print(f"{count} events, {twice} done twice")
    assert twice < count / 4


async def test_what_a_worker_fails_on_is_not_acknowledged_and_the_worker_ends(
    shared_broker: str, fresh: str, tmp_path: Path
) -> None:
    """Stock Faust would acknowledge the failed message and go on behind it."""
    async with topics(shared_broker, fresh):
        await write(shared_broker, f"{fresh}-in", 0, 400)
        with worker(shared_broker, fresh, tmp_path) as well:
            await until_committed(shared_broker, fresh, 400)
            well.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(well.wait, PATIENCE_S) is not None
        await write(shared_broker, f"{fresh}-in", 400, 400)
        with worker(shared_broker, fresh, tmp_path, fail_on="500") as failing:
            assert await asyncio.to_thread(failing.wait, PATIENCE_S) != 0
        # 500 is of case 20, and so of partition 0.
        async with cluster_admin(shared_broker) as admin:
            offsets = await admin.list_consumer_group_offsets(fresh)
        assert offsets[TopicPartition(f"{fresh}-in", 0)].offset == 100
        with worker(shared_broker, fresh, tmp_path):
            await until_committed(shared_broker, fresh, 800)
            found = await read_until(shared_broker, f"{fresh}-out", range(800))
    assert all(first_ones_are_in_order(partition) for partition in found.values())


async def test_aborted_transactions_are_never_handed_out(shared_broker: str, fresh: str, tmp_path: Path) -> None:
    wanted = {*range(100), *range(200, 300), *range(400, 440)}
    async with topics(shared_broker, fresh), AsyncExitStack() as stack:
        writer = AIOKafkaProducer(bootstrap_servers=shared_broker, transactional_id=fresh)
        await stack.enter_async_context(writer)
        for begin in range(0, 400, 100):
            await writer.begin_transaction()
            for number in range(begin, begin + 100):
                await writer.send(f"{fresh}-in", b"%d" % number, partition=number % CASES % PARTITIONS)
            if begin % 200:
                await writer.abort_transaction()
            else:
                await writer.commit_transaction()
        await write(shared_broker, f"{fresh}-in", 400, 40)
        stack.enter_context(worker(shared_broker, fresh, tmp_path))
        found = await read_until(shared_broker, f"{fresh}-out", wanted)
        # Offsets count aborted records and the marks of the transactions too.
        await until_committed(shared_broker, fresh, 400 + 40 + 4 * PARTITIONS)
    assert {number for partition in found.values() for number in partition} == wanted


async def test_compacted_gaps_do_not_hold_the_position(shared_broker: str, fresh: str, tmp_path: Path) -> None:
    compacted = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001",
        "max.compaction.lag.ms": "100",
    }
    async with cluster_admin(shared_broker) as admin:
        source = NewTopic(f"{fresh}-in", 1, 1, topic_configs=compacted)
        await make_topics(admin, source, NewTopic(f"{fresh}-out", PARTITIONS, 1))
        async with AIOKafkaProducer(bootstrap_servers=shared_broker) as producer:
            for number in range(600):
                await producer.send_and_wait(f"{fresh}-in", b"%d" % number, key=b"%d" % (number % 7), partition=0)
        await _compacted(shared_broker, f"{fresh}-in")
        with worker(shared_broker, fresh, tmp_path):
            found = await read_until(shared_broker, f"{fresh}-out", range(593, 600))
            await until_committed(shared_broker, fresh, 600)
        await admin.delete_topics([f"{fresh}-in", f"{fresh}-out"])
    assert len(found[0]) < 600, "nothing was compacted: the test saw no gap"


async def _compacted(bootstrap: str, topic: str) -> None:
    """A segment rolls only when something is written after it is old."""
    number = 600
    async with asyncio.timeout(PATIENCE_S), AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        while True:
            consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
            async with consumer:
                first = await consumer.getone()
            if first.offset > 0:
                return
            await asyncio.sleep(0.3)
            await producer.send_and_wait(topic, b"%d" % number, key=b"roll", partition=0)
            number += 1
