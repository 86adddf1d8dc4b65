"""Casebook workers that are killed, paused, robbed of their state: nothing is missing, twice or different."""

from __future__ import annotations

import asyncio
import shutil
import signal
from pathlib import Path

import pytest

from ccr_events.policy import PolicyBook
from services.engine.kafka.apps.fleet import READY
from services.engine.kafka.outgoing import EventRecord
from tests.faults.cluster import POISONED, Cluster
from tests.support.kafka_week import Embedded

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]


def told(weeks: Embedded, faults: str, twice: int) -> str:
    """What was compared; a loss or a transition too many would have failed the test."""
    return (
        f"{faults}: {len(weeks.log)} events, 0 lost, 0 twice once {twice} repeated transitions are dropped by their ids"
    )


async def test_one_worker_makes_of_the_events_what_the_embedded_engine_does(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    await cluster.publish(weeks.log)
    worker = cluster.worker(0)
    await cluster.until_settled()
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 30) == 0, cluster.log()
    assert await cluster.compare(weeks, policies, tmp_path / "views") == 0


async def test_a_worker_that_is_killed_leaves_its_partitions_to_the_other(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    first, second = cluster.worker(0), cluster.worker(1)
    await cluster.says(first, READY)
    await cluster.says(second, READY)
    writing = asyncio.create_task(cluster.publish(weeks.log, every_s=0.1))
    await cluster.until_committed(len(weeks.log) // 4)
    second.kill()
    await writing
    await cluster.until_settled()
    twice = await cluster.compare(weeks, policies, tmp_path / "views")
    print(told(weeks, "1 kill -9", twice))


async def test_workers_are_killed_again_and_again(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    """Each comes back under its own name, with the state it had at its last checkpoint."""
    kills = 4
    workers = [cluster.worker(0), cluster.worker(1)]
    for worker in workers:
        await cluster.says(worker, READY)
    part = len(weeks.log) // (kills + 1)
    for kill in range(kills):
        number = kill % 2
        if kill > 1:
            await cluster.says(workers[number], READY)
        writing = asyncio.create_task(cluster.publish(weeks.log[kill * part : (kill + 1) * part], every_s=0.1))
        # In the middle of it: told of, and not checkpointed.
        await asyncio.sleep(0.25)
        workers[number].kill()
        workers[number].wait()
        workers[number] = cluster.worker(number)
        await writing
    await cluster.publish(weeks.log[kills * part :])
    await cluster.until_settled()
    twice = await cluster.compare(weeks, policies, tmp_path / "views")
    print(told(weeks, f"{kills} kills", twice))


async def test_a_worker_that_was_paused_for_too_long_ends_without_writing(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    first, sleeper = cluster.worker(0), cluster.worker(1)
    await cluster.says(first, READY)
    await cluster.says(sleeper, READY)
    writing = asyncio.create_task(cluster.publish(weeks.log, every_s=0.2))
    await cluster.until_committed(len(weeks.log) // 8)
    sleeper.send_signal(signal.SIGSTOP)
    await writing
    await cluster.until_settled()
    topics = [cluster.places.links, cluster.places.events]
    before = [await cluster.records(topic) for topic in topics]
    sleeper.send_signal(signal.SIGCONT)
    assert await asyncio.to_thread(sleeper.wait, 30) == 1, cluster.log()
    assert "did not run for longer than its group waits" in cluster.log()
    # What was on its way to the brokers when it fell asleep arrives, and was said by the other meanwhile.
    for topic, records in zip(topics, before, strict=True):
        assert {each.value for each in await cluster.records(topic)} == {each.value for each in records}
    # In the state, each owner's records have its epoch: none stands behind those of whoever came after it.
    for epochs in await cluster.epochs():
        assert epochs == sorted(epochs)
    twice = await cluster.compare(weeks, policies, tmp_path / "views")
    print(told(weeks, "1 zombie", twice))


async def test_state_that_is_lost_and_offsets_that_are_set_to_anywhere_change_nothing(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    half = len(weeks.log) // 2
    await cluster.publish(weeks.log[:half])
    worker = cluster.worker(0)
    await cluster.until_settled()
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 30) == 0, cluster.log()
    shutil.rmtree(cluster.directory / "data")
    await cluster.publish(weeks.log[half:])
    # Behind all there is: a worker that trusted the group's offsets would leave out the second half.
    await cluster.commit(await cluster.ends(cluster.places.events))
    worker = cluster.worker(0)
    await cluster.says(worker, READY)
    await cluster.until_linked(len(weeks.transitions))
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(worker.wait, 30) == 0, cluster.log()
    await cluster.commit(dict.fromkeys(await cluster.ends(cluster.places.events), 0))
    worker = cluster.worker(0)
    await cluster.until_settled()
    assert await cluster.compare(weeks, policies, tmp_path / "views") == 0


async def test_poison_is_told_of_in_quarantine_and_holds_up_nothing(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    poison = [
        EventRecord(POISONED, b'{"surname": "Testperson"'),
        EventRecord(POISONED, weeks.log[0].value),
        EventRecord(POISONED, b""),
    ]
    await cluster.publish([*weeks.log[:50], *poison, *weeks.log[50:]])
    cluster.worker(0)
    await cluster.until_settled()
    refused = await cluster.refused()
    assert sorted(entry["reason"] for entry in refused) == [
        "it cannot be read: DecodeError",
        "it cannot be read: DecodeError",
        "its key is not its case",
    ]
    assert "Testperson" not in f"{refused}{cluster.log()}"
    assert await cluster.compare(weeks, policies, tmp_path / "views") == 0
