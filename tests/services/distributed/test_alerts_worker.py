"""`ccr worker alerts` as processes of their own: alerts go out, resume at another process, and are receipted once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from ccr_events.envelope import decode_record, write_structured
from services.cli.main import run
from services.distributed import Settings
from services.engine.kafka.broker.ports import free_ports
from services.engine.kafka.topics.catalogue import RECEIPTS
from tests.services.distributed.conftest import Cluster
from tests.services.distributed.test_commands import issued
from tests.services.distributed.test_to_the_reader import publish
from tests.support.doors import an_event
from tests.support.running import running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 90.0


async def test_alerts_go_on_whatever_process_serves_them_and_each_delivery_is_told_once(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = ["--bootstrap", cluster.bootstrap, "--json"]
    state = ["--data", str(tmp_path / "state"), "--web-port", "0"]
    store = ["--store", settings.store]
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", "0"]
    port, metrics = free_ports(2)
    two = ["--port", str(port), "--web-port", str(metrics), "--concurrency", "2"]
    with (
        running(tmp_path / "portal", "worker", "portal", *kafka, *store, *keys) as portal,
        running(tmp_path / "intake", "worker", "intake", *kafka, *store, *keys) as intake,
        running(tmp_path / "casebook", "worker", "casebook", *kafka, *state) as casebook,
        running(tmp_path / "monitor", "worker", "monitor", *kafka, *state, *store) as monitor,
        running(tmp_path / "alerts", "worker", "alerts", *kafka, *store, *two) as alerts,
    ):
        url = (await asyncio.to_thread(portal.line))["url"]
        police = await asyncio.to_thread(issued, settings.store, capsys)
        advocate = await asyncio.to_thread(issued_to, "adv", settings.store, capsys)
        async with client(url, police) as publishing, client(f"http://127.0.0.1:{port}", advocate) as reading:
            await until_ready(reading)
            serving = psutil.Process(alerts.process.pid).children()
            assert len(serving) == 2
            case = await publish(publishing, 1)
            first = await alerts_of(reading, case, after="0")
            assert (await reading.get(f"/v1/cases/{case}")).status_code == 200
            told = [each["data"]["link"]["id"] for _, each in first if each["type"] == "link.opened"]
            async with asyncio.timeout(PATIENCE_S):
                while set(told) - await notified(cluster):
                    await asyncio.sleep(0.2)
            serving[0].kill()
            other = await publish(publishing, 2)
            after = str(first[-1][0])
            second = await alerts_of(reading, other, after=after)
            await alerts_of(reading, other, after=after)  # the same once more: delivered again, and told once
            told += [each["data"]["link"]["id"] for _, each in second if each["type"] == "link.opened"]
            assert [place for place, _ in second] > [place for place, _ in first]
            async with asyncio.timeout(PATIENCE_S):
                while set(told) - await notified(cluster):
                    await asyncio.sleep(0.2)
            records = [decode_record(record.value) for record in await cluster.sent()]
            ids = [record["id"] for record in records]
            assert len(ids) == len(set(ids))
            figures = (await reading.get(f"http://127.0.0.1:{metrics + 1}/metrics")).text
            assert "ccr_receipts_refused 0.0" in figures
        assert await asyncio.to_thread(alerts.stop, signal.SIGTERM) == 1, "one of its processes was killed"
        for worker in (monitor, casebook, intake, portal):
            assert await asyncio.to_thread(worker.stop, signal.SIGTERM) == 0, worker.told


async def test_their_processes_are_replaced_while_they_serve(
    cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    options = ["--bootstrap", cluster.bootstrap, "--store", settings.store, "--port", str(port), "--concurrency", "2"]
    options += ["--web-port", "0"]
    with running(tmp_path / "alerts", "worker", "alerts", *options) as alerts:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as reading:
            await until_ready(reading)
            before = set(psutil.Process(alerts.process.pid).children())
            async with asyncio.timeout(PATIENCE_S):
                while not await both_listen(port):
                    await asyncio.sleep(0.1)
            alerts.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(PATIENCE_S):
                while "every worker was replaced" not in alerts.told:
                    await asyncio.sleep(0.1)
            after = set(psutil.Process(alerts.process.pid).children())
            assert len(after) == 2
            assert not before & after
            await until_ready(reading)
        assert await asyncio.to_thread(alerts.stop, signal.SIGTERM) == 0, alerts.told


async def test_only_deliveries_are_taken_in_from_their_topic(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", "0"]
    options = ["--bootstrap", cluster.bootstrap, "--store", settings.store, *keys, "--json"]
    with running(tmp_path / "intake", "worker", "intake", *options) as intake:
        watch = (await asyncio.to_thread(intake.line))["url"]
        async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
            await producer.send_and_wait(RECEIPTS, orjson.dumps(write_structured(an_event(7, agency="ccr"))))
        async with httpx.AsyncClient() as http, asyncio.timeout(PATIENCE_S):
            while 'agency="ccr"' not in (figures := (await http.get(f"{watch}/metrics")).text):
                await asyncio.sleep(0.1)
            while "ccr_quarantine_waiting 1.0" not in figures:
                await asyncio.sleep(0.1)
                figures = (await http.get(f"{watch}/metrics")).text
        assert await cluster.sent() == []
        assert await asyncio.to_thread(intake.stop, signal.SIGTERM) == 0, intake.told


def issued_to(agency: str, store: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["keys", "issue", "--agency", agency, "--store", store, "--json"]) == 0
    return str(orjson.loads(capsys.readouterr().out)["key"])


@asynccontextmanager
async def client(url: str, key: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as http:
        yield http


async def until_ready(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if (await http.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def both_listen(port: int) -> bool:
    found = [c for c in psutil.net_connections("tcp4") if c.status == psutil.CONN_LISTEN and c.laddr.port == port]
    return len(found) == 2


async def alerts_of(http: httpx.AsyncClient, case: str, *, after: str) -> list[tuple[int, dict[str, Any]]]:
    """(place, alert) from there up to the first of this case, whichever process serves them."""
    found: list[tuple[int, dict[str, Any]]] = []
    place = int(after)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with http.stream("GET", "/v1/alerts", headers={"last-event-id": str(place)}) as answer:
                    assert answer.status_code == 200
                    block: dict[str, str] = {}
                    async for line in answer.aiter_lines():
                        name, _, value = line.partition(": ")
                        if line:
                            block[name] = value
                            continue
                        if "id" in block:
                            place = int(block["id"])
                        if "data" in block:
                            found.append((place, orjson.loads(block["data"])))
                            if found[-1][1]["caseid"] == case:
                                return found
                        block = {}
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def notified(cluster: Cluster) -> set[str]:
    """Links of which a delivery was accepted."""
    records = [decode_record(record.value) for record in await cluster.sent()]
    return {record["data"]["link_id"] for record in records if record["type"] == "link.notified"}
