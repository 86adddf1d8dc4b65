"""Where the figures of a worker are is told when it starts, and they are there."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from services.distributed import Settings
from services.engine.kafka.broker.ports import free_ports
from tests.services.distributed.conftest import Cluster
from tests.support.running import Running, running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]


def figures(worker: Running) -> str:
    """The address that a command tells as it starts."""
    assert worker.process.stdout is not None
    for line in worker.process.stdout:
        if line.startswith("figures"):
            return line.split()[1]
    raise AssertionError(worker.told)


@pytest.mark.parametrize("service", ["casebook", "monitor", "alerts", "intake"])
async def test_every_worker_says_where_its_figures_are(
    service: str, cluster: Cluster, settings: Settings, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    store, state = ["--store", settings.store], ["--data", str(tmp_path / "state"), "--web-port", str(port)]
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key)]
    options = {
        "casebook": state,
        "monitor": [*state, *store],
        "alerts": [*store, "--port", str(port)],
        "intake": [*store, *keys, "--port", str(port)],
    }
    command = ["worker", service, "--bootstrap", cluster.bootstrap, *options[service]]
    with running(tmp_path / "said", *command) as worker:
        address = await asyncio.to_thread(figures, worker)
        assert address == f"http://127.0.0.1:{port}/metrics"
        async with httpx.AsyncClient() as http:
            assert "# HELP ccr_" in (await http.get(address)).text
            assert (await http.get(address.replace("metrics", "healthz"))).status_code == 200
        assert await asyncio.to_thread(worker.stop, signal.SIGTERM) == 0, worker.told
