"""A real Kafka: up, up again, killed, back, down; and how it fails."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.engine.kafka.broker import BrokerError, broker, kill_node, running, standing, start, stop
from services.engine.kafka.broker.jars import class_path
from services.engine.kafka.broker.layout import STATE, read
from services.engine.kafka.broker.process import process_of

pytestmark = [pytest.mark.kafka, pytest.mark.usefixtures("kafka_program")]
SMALL = {"heap_mb": 256}


async def write_one(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, b"kept")


async def read_one(bootstrap: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        return (await asyncio.wait_for(consumer.getone(), 20)).value


async def test_up_twice_killed_and_back_with_what_it_held(directory: Path) -> None:
    first = await start(directory, **SMALL)
    try:
        await write_one(first.bootstrap, "kept")
        again = await start(directory, **SMALL)
        assert again == first
        (node,) = await standing(directory)
        assert node.answers
        assert node.pid == first.nodes[0].pid
        assert "Kafka Server started" in node.log.read_text()

        await kill_node(directory, 1)
        (gone,) = await standing(directory)
        assert (gone.pid, gone.answers) == (None, False)

        back = await start(directory, **SMALL)
        assert back.bootstrap == first.bootstrap
        assert back.nodes[0].pid != first.nodes[0].pid
        assert await read_one(back.bootstrap, "kept") == b"kept"

        assert await stop(directory) is True
        assert "shut down completed" in node.log.read_text()
        assert await stop(directory) is False
        with pytest.raises(BrokerError, match=r"holds a cluster of 1 broker\(s\), not 3"):
            await start(directory, brokers=3)
    finally:
        await stop(directory)


async def test_java_that_fails_is_told_in_its_own_words(directory: Path) -> None:
    with pytest.raises(BrokerError, match=r"(?s)could not make its store.*Invalid value sideways"):
        await start(directory, **SMALL, settings={"num.network.threads": "sideways"})
    assert all(node.pid is None for node in await standing(directory))


async def test_a_version_that_wrote_the_directory_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as older:
        older.setattr(running, "KAFKA_VERSION", "4.0.0")
        older.setattr(running, "_launched", _not_today)
        with pytest.raises(BrokerError, match="not today"):
            await start(directory)
    with pytest.raises(BrokerError, match=r"written by Apache Kafka 4\.0\.0"):
        await start(directory)


async def _not_today(*_: object) -> None:
    raise BrokerError("not today")


async def test_a_program_cut_off_leaves_no_java_behind(directory: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from services.engine.kafka.broker import broker
async def main():
    async with broker(Path({str(directory)!r}), heap_mb=256):
        print("up", flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[4])
    assert child.stdout is not None
    with child.stdout:
        assert await asyncio.to_thread(child.stdout.readline) == b"up\n"
    cluster = read(directory)
    assert cluster is not None
    java = process_of(cluster.nodes[0])
    assert java is not None
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    gone, left = await asyncio.to_thread(psutil.wait_procs, [java], 60)
    assert gone == [java]
    assert left == []


async def test_a_broker_of_a_block_is_gone_after_it(directory: Path) -> None:
    async with broker(directory, **SMALL):
        cluster = read(directory)
    assert cluster is not None
    assert process_of(cluster.nodes[0]) is None
    assert not directory.exists()


async def test_brokers_come_in_one_or_three(directory: Path) -> None:
    with pytest.raises(BrokerError, match="one or three brokers, not 2"):
        await start(directory, brokers=2)
    assert not (directory / STATE).exists()


def test_maven_out_of_reach_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(BrokerError, match=r"could not be fetched from Maven Central .*check this machine's network"):
        class_path()


async def test_three_brokers_go_on_without_one(directory: Path) -> None:
    async with broker(directory, brokers=3, **SMALL) as bootstrap:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("copied", 1, 3)])
        await admin.close()
        await kill_node(directory, 2)
        assert [node.answers for node in await standing(directory)] == [True, False, True]
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            await producer.send_and_wait("copied", b"kept")
        again = await start(directory, brokers=3, **SMALL)
        assert again.bootstrap == bootstrap
        assert all(node.answers for node in await standing(directory))
        assert await read_one(bootstrap, "copied") == b"kept"
