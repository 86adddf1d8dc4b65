"""More partitions under a whole backbone: what was published before and after, and in between to a portal that was
forgotten, comes back as links, in the store that goes on and in one that is filled from the new topics alone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.envelope import STRUCTURED, decode_record, write_structured
from services.distributed import Settings
from services.engine.kafka.outgoing import partition_of
from services.engine.sql.store import open_store
from tests.services.distributed.conftest import PARTITIONS, Cluster
from tests.services.distributed.test_commands import issued
from tests.support.doors import an_event, event_id
from tests.support.running import Running, running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
PATIENCE_S = 120.0
CASES = 6


async def test_every_case_goes_on_in_more_partitions(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wider = cluster.wider(PARTITIONS + 3)
    kafka = ["--bootstrap", cluster.bootstrap, "--json"]
    keys = ["--keys", settings.keys, "--master-key", str(settings.master_key), "--port", "0"]
    portal = ["worker", "portal", *kafka, "--store", settings.store, *keys]
    casebook = ["worker", "casebook", *kafka, "--web-port", "0", "--data", str(tmp_path / "casebook")]
    monitor = ["worker", "monitor", *kafka, "--web-port", "0", "--data", str(tmp_path / "monitor"), "--store"]
    with running(tmp_path / "forgotten", *portal) as forgotten:
        url = (await asyncio.to_thread(forgotten.line))["url"]
        headers = {"authorization": f"Bearer {await asyncio.to_thread(issued, settings.store, capsys)}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as http:
            with ExitStack() as stack:
                workers = [
                    stack.enter_context(running(tmp_path / f"before {name}", *command))
                    for name, command in (("casebook", casebook), ("monitor", [*monitor, settings.store]))
                ]
                cases = [await published(http, number, number) for number in range(CASES)]
                for case in cases:
                    await owed(http, case)
                await at_rest(cluster, settings.store)
                for worker in workers:  # whoever reads what another writes is stopped behind it
                    await stopped(worker)
            await repartitioned(cluster, tmp_path)
            refused = await publish(http, CASES, 0)
            assert refused.status_code == 503, refused.text
        await asyncio.to_thread(forgotten.stop, signal.SIGKILL)
    second = f"sqlite:///{tmp_path / 'second.sqlite'}"
    with ExitStack() as stack:
        commands = {"portal": portal, "casebook": casebook, "monitor": [*monitor, settings.store]}
        commands["another monitor"] = [*monitor[:-2], str(tmp_path / "another"), "--store", second]
        workers = [stack.enter_context(running(tmp_path / f"after {n}", *c)) for n, c in commands.items()]
        url = (await asyncio.to_thread(workers[0].line))["url"]
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE_S) as http:
            # What the portal that was killed had committed goes out, before anything newer of its case.
            again = {await published(http, number, number - CASES - 1) for number in range(CASES + 1, 2 * CASES + 1)}
            assert again == set(cases)
            cases += [await published(http, number, number) for number in range(100, 103)]
            for case in cases:
                await owed(http, case)
            sent = [(r.key.decode(), decode_record(r.value)["id"], r.partition) for r in await wider.sent()]
            assert {partition for _, _, partition in sent} - set(range(PARTITIONS)), "the new partitions are used"
            assert all(partition == partition_of(case.encode(), PARTITIONS + 3) for case, _, partition in sent)
            of_first = list(dict.fromkeys(sent_id for case, sent_id, _ in sent if case == cases[0]))
            ours = [event_id(number) for number in (0, CASES, CASES + 1)]
            assert [each for each in of_first if each in ours] == ours
            await same_links(settings.store, second, cases)
        for worker in workers:
            await stopped(worker)


async def publish(http: httpx.AsyncClient, number: int, incident: int) -> httpx.Response:
    """An arrest after an incident."""
    event = an_event(number, refs=(("incident_no", f"26-{incident:04}"),), dv="yes")
    body = orjson.dumps(write_structured(event))
    return await http.post("/v1/events", content=body, headers={"content-type": STRUCTURED})


async def published(http: httpx.AsyncClient, number: int, incident: int) -> str:
    """The same, once it is taken; returns its case."""
    async with asyncio.timeout(PATIENCE_S):
        while (answer := await publish(http, number, incident)).status_code == 503:
            await asyncio.sleep(0.2)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["case_id"])


async def owed(http: httpx.AsyncClient, case: str) -> None:
    """Wait until the case's links are there."""
    query: Mapping[str, str] = {"case_id": case, "open_only": "false"}
    async with asyncio.timeout(PATIENCE_S):
        while not (await http.get("/v1/links", params=query)).json()["links"]:
            await asyncio.sleep(0.1)


async def at_rest(cluster: Cluster, address: str) -> None:
    """Wait until nothing comes any more, of deadlines that have long passed too, and the store has all of it."""
    quiet = 0
    async with open_store(address) as store, asyncio.timeout(PATIENCE_S):
        before = -1
        while quiet < 10:
            await asyncio.sleep(0.5)
            sent = {decode_record(record.value)["id"] for record in await cluster.sent()}
            stored = len(await store.log.read(0))
            quiet = quiet + 1 if len(sent) == before == stored else 0
            before = len(sent)


async def stopped(worker: Running) -> None:
    assert await asyncio.to_thread(worker.stop, signal.SIGTERM) == 0, worker.told


async def repartitioned(cluster: Cluster, tmp_path: Path) -> None:
    """By the command, which is refused as long as a group still counts a worker that has just been stopped."""
    command = ["kafka", "topics", "repartition", "--partitions", str(PARTITIONS + 3), "--bootstrap", cluster.bootstrap]
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with running(tmp_path / "repartition", *command) as repartition:
                if await asyncio.to_thread(repartition.end) == 0:
                    return
            assert "stop every service first" in repartition.told, repartition.told
            await asyncio.sleep(1)


async def same_links(one: str, other: str, cases: Sequence[str]) -> None:
    """Wait until both stores show the same of these cases, and something of each."""
    async with open_store(one) as live, open_store(other) as second, asyncio.timeout(PATIENCE_S):
        while True:
            shown: list[list[Any]] = [
                [await store.links.links(case_id=case, open_only=False) for case in cases] for store in (live, second)
            ]
            if shown[0] == shown[1] and all(shown[0]):
                return
            await asyncio.sleep(0.2)
