"""A portal that is killed after it has committed an event and before it answers: the adapter's client sends the event
again, and it counts once, at its place."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from ccr_events.client import AdapterClient, waits
from ccr_events.envelope import decode_record
from services.distributed import Settings
from services.engine.kafka.broker import standing
from services.engine.kafka.broker.ports import free_ports
from services.engine.sql.store import open_store
from tests.services.distributed.conftest import Cluster
from tests.services.distributed.test_commands import issued
from tests.support.doors import an_event, event_id
from tests.support.running import running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 90.0
INCIDENT = (("incident_no", "26-0101"),)


async def test_what_a_killed_portal_had_committed_is_counts_once_whoever_sends_it(
    cluster: Cluster,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waits, "LONGEST_S", 0.5)
    (port,) = free_ports(1)
    command = ["worker", "portal", "--bootstrap", cluster.bootstrap, "--store", settings.store, "--json"]
    command += ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", str(port)]
    with running(tmp_path / "first", *command) as portal:
        url = (await asyncio.to_thread(portal.line))["url"]
        key = await asyncio.to_thread(issued, settings.store, capsys)
        async with AdapterClient(url, key, spool=tmp_path / "spool") as adapter:
            await adapter.publish(an_event(1, refs=INCIDENT))
            assert await adapter.flush(PATIENCE_S)
            async with held_up(cluster):
                await adapter.publish(an_event(2, refs=INCIDENT))
                await adapter.publish(an_event(3, refs=INCIDENT))
                await committed(settings.store, [event_id(2)])
                await asyncio.to_thread(portal.stop, signal.SIGKILL)
            with running(tmp_path / "second", *command) as another:
                await asyncio.to_thread(another.line)
                assert await adapter.flush(PATIENCE_S), await adapter.status()
                assert (await adapter.status()).waiting == 0
                # What was on its way when the portal died may have reached the brokers: readers drop it by its id.
                sent = [decode_record(record.value)["id"] for record in await cluster.sent()]
                assert list(dict.fromkeys(sent)) == [event_id(1), event_id(2), event_id(3)]
                async with open_store(settings.store) as store:
                    assert [record.event_id for record in await store.log.read(0)] == [event_id(n) for n in (1, 2, 3)]
                assert await asyncio.to_thread(another.stop, signal.SIGTERM) == 0, another.told


@asynccontextmanager
async def held_up(cluster: Cluster) -> AsyncIterator[None]:
    """The brokers do not run for a while, as on a machine that hangs: nobody is refused, and nobody answered."""
    brokers = [psutil.Process(node.pid) for node in await standing(cluster.directory) if node.pid is not None]
    assert brokers
    for each in brokers:
        each.suspend()
    try:
        yield
    finally:
        for each in brokers:
            each.resume()


async def committed(address: str, ids: Sequence[str]) -> None:
    """Wait until these are in the store."""
    async with open_store(address) as store, asyncio.timeout(PATIENCE_S):
        while await store.log.known(ids) != set(ids):
            await asyncio.sleep(0.02)
