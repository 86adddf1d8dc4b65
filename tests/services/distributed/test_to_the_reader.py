"""Portal, casebook and two monitors as processes: what is published comes back as links, whatever befalls a monitor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

import httpx
import orjson
import psutil
import pytest

from ccr_events.envelope import STRUCTURED, write_structured
from services.distributed import Settings
from tests.services.distributed.conftest import Cluster
from tests.services.distributed.test_commands import issued
from tests.support.doors import an_event
from tests.support.running import running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 90.0


async def test_links_come_back_whatever_happens_to_a_monitor(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = ["--bootstrap", cluster.bootstrap, "--json"]
    state = ["--data", str(tmp_path / "state"), "--web-port", "0"]
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", "0"]
    two = ["--concurrency", "2", "--read-model", f"sqlite:///{tmp_path / 'model.sqlite'}"]
    store = ["--store", settings.store]
    with (
        running(tmp_path / "portal", "worker", "portal", *kafka, *store, *keys) as portal,
        running(tmp_path / "casebook", "worker", "casebook", *kafka, *state) as casebook,
        running(tmp_path / "monitor", "worker", "monitor", *kafka, *state, *store, *two) as monitor,
    ):
        url = (await asyncio.to_thread(portal.line))["url"]
        key = await asyncio.to_thread(issued, settings.store, capsys)
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as http:
            await links_of(http, 1)
            working = psutil.Process(monitor.process.pid).children()
            assert len(working) == 2
            working[0].kill()
            for number in range(2, 6):
                await links_of(http, number)
        assert await asyncio.to_thread(monitor.stop, signal.SIGTERM) == 1, "one of its processes was killed"
        for worker in (casebook, portal):
            assert await asyncio.to_thread(worker.stop, signal.SIGTERM) == 0, worker.told


async def publish(http: httpx.AsyncClient, number: int) -> str:
    """An arrest; returns its case."""
    body = orjson.dumps(write_structured(an_event(number, dv="yes")))
    answer = await http.post("/v1/events", content=body, headers={"content-type": STRUCTURED})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["case_id"])


async def links_of(http: httpx.AsyncClient, number: int) -> None:
    """Publish an arrest, and wait until police see what they owe."""
    query: Mapping[str, str] = {"case_id": await publish(http, number), "open_only": "false"}
    async with asyncio.timeout(PATIENCE_S):
        while not (await http.get("/v1/links", params=query)).json()["links"]:
            await asyncio.sleep(0.1)
