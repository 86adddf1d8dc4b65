"""`ccr worker casebook` as a person runs it: two processes under a parent, replaced while they work, then stopped."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka.errors import GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError

from ccr_events.core.codec import decode_view
from ccr_events.policy import PolicyBook
from services.casebook.worker import SERVICE
from services.engine.kafka.broker.ports import all_free, free_ports
from services.engine.kafka.topics import cluster_admin
from tests.faults.cluster import PATIENCE_S, ROOT, Cluster
from tests.support.kafka_week import Embedded

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]


def two_ports() -> int:
    """The first of two free ports, one beside the other."""
    while True:
        first, *_ = free_ports(1)
        if first < 65_535 and all_free([first, first + 1]):
            return first


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.1)


async def members(bootstrap: str) -> int:
    async with cluster_admin(bootstrap) as admin:
        # A broker's very first group has to wait for the topic of the offsets.
        with suppress(GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            (described,) = (await admin.describe_consumer_groups([SERVICE]))[0].groups
            return len(described[5])
    return 0


async def test_processes_under_a_parent_are_replaced_and_stopped(
    cluster: Cluster, weeks: Embedded, policies: PolicyBook, tmp_path: Path
) -> None:
    cluster.group, port, log = SERVICE, two_ports(), tmp_path / "worker-parent.log"
    with log.open("wb") as said:
        parent = subprocess.Popen(
            [
                *(sys.executable, "-c", "from services.cli.main import main; main()", "worker", "casebook"),
                *("--bootstrap", cluster.bootstrap, "--data", str(tmp_path / "data")),
                *("--concurrency", "2", "--web-port", str(port), "--json"),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        async with httpx.AsyncClient() as http:

            async def both_ready() -> bool:
                try:
                    answers = [await http.get(f"http://127.0.0.1:{port + n}/readyz") for n in range(2)]
                except httpx.TransportError:
                    return False
                return all(answer.status_code == 200 for answer in answers)

            async with asyncio.timeout(PATIENCE_S):
                while not (await both_ready() and await members(cluster.bootstrap) == 2):
                    await asyncio.sleep(0.2)
        await cluster.publish(weeks.log[: len(weeks.log) // 2])
        parent.send_signal(signal.SIGHUP)
        await cluster.publish(weeks.log[len(weeks.log) // 2 :], every_s=0.2)
        await until(lambda: "every worker was replaced" in log.read_text())
        await cluster.until_settled()
        parent.send_signal(signal.SIGTERM)
        printed, _ = await asyncio.to_thread(parent.communicate, timeout=PATIENCE_S)
    finally:
        if parent.poll() is None:
            parent.send_signal(signal.SIGTERM)
            await asyncio.to_thread(parent.wait, PATIENCE_S)
    assert parent.returncode == 0, log.read_text()
    assert orjson.loads(printed) == {"workers": 2, "ended_badly": 0}
    assert await members(cluster.bootstrap) == 0
    # The command goes by the clock on the wall, so deadlines fall between events that were long past when they came:
    # what is told differs from the week, and what happened does not.
    found = await cluster.views(sorted(weeks.views), policies, tmp_path / "views")
    for case, expected in weeks.views.items():
        assert decode_view(expected).facts.keys() <= decode_view(found[case]).facts.keys()


async def test_a_cluster_that_does_not_answer_is_told_of_in_words(tmp_path: Path) -> None:
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from services.cli.main import main; main()", "worker", "casebook"),
        *("--bootstrap", "127.0.0.1:1", "--data", str(tmp_path), "--web-port", "0"),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asked.communicate()
    assert asked.returncode == 1
    assert "Kafka at 127.0.0.1:1" in said.decode()
    assert "Traceback" not in said.decode()
