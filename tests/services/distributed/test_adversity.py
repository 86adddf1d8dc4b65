"""What others do wrong around a portal on Kafka: it says what is wrong, loses nothing, and goes on when it is right."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ccr_events.envelope import read_fact
from services.demo.clock import ScriptClock
from services.distributed import Settings
from services.engine.kafka.topics import (
    Layout,
    apply,
    catalogue,
    cluster_admin,
    differences,
    topics_on,
    write_layout,
)
from services.engine.sql import database
from services.engine.sql.ahead import StoreAhead
from tests.services.distributed.conftest import Cluster
from tests.services.distributed.test_portal import INCIDENT, ids, portal
from tests.support.doors import T0, an_event, event_id
from tests.support.portals import problem_of

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
OTHER = (("incident_no", "26-0202"),)
PATIENCE_S = 60.0


async def test_a_key_store_that_does_not_answer_takes_nothing_in_and_holds_nothing_back(
    cluster: Cluster, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 200)
    async with portal(settings) as served:
        assert (await served.publish(an_event(1, refs=INCIDENT, narrative="what he did"))).status_code == 202
        with taken(tmp_path / "keys.sqlite"):
            refused = await served.publish(an_event(2, refs=OTHER, narrative="what he did"))
            problem_of(refused, 503)
            assert refused.headers["retry-after"]
            ready = await served.http.get("/readyz")
            assert (ready.status_code, list(ready.json()["reasons"])) == (503, ["keys"])
        assert await served.backbone.log.known([event_id(2)]) == set()
        assert (await served.publish(an_event(2, refs=OTHER, narrative="what he did"))).status_code == 202
        assert (await served.http.get("/readyz")).status_code == 200
        assert sorted(ids(await cluster.sent())) == [event_id(1), event_id(2)]


@contextmanager
def taken(file: Path) -> Iterator[None]:
    """Somebody has the database for themselves."""
    connection = sqlite3.connect(file, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


async def test_a_topic_that_was_made_too_small_is_told_and_nothing_goes_before_what_does_not_fit(
    cluster: Cluster, settings: Settings
) -> None:
    async with portal(settings) as served:
        await limited(cluster, 10_000)
        problem_of(await served.publish(an_event(1, refs=INCIDENT, narrative="x" * 20_000)), 503)
        problem_of(await served.publish(an_event(2, refs=INCIDENT)), 503)
        reasons = (await served.http.get("/readyz")).json()["reasons"]
        assert "max.message.bytes" in reasons["kafka"]
        assert "ccr kafka topics" in reasons["kafka"]
        assert b"ccr_sending_refused 1.0" in (await served.backbone.metrics.exposition())[0]
        assert await cluster.sent() == []
        wanted = catalogue(cluster.layout.size(1))
        async with cluster_admin(cluster.bootstrap) as admin:
            assert not await apply(admin, wanted, differences(wanted, await topics_on(admin, [t.name for t in wanted])))
        async with asyncio.timeout(PATIENCE_S):
            while (again := await served.publish(an_event(2, refs=INCIDENT))).status_code == 503:
                await asyncio.sleep(0.2)
        assert again.status_code in (200, 202)
        assert (await served.publish(an_event(1, refs=INCIDENT, narrative="x" * 20_000))).status_code == 200
        assert ids(await cluster.sent()) == [event_id(1), event_id(2)]
        assert (await served.http.get("/readyz")).status_code == 200


async def limited(cluster: Cluster, most_bytes: int) -> None:
    """Somebody lowers the size of a record on the topic of events."""
    settings = {"max.message.bytes": str(most_bytes), "retention.ms": "-1"}
    async with cluster_admin(cluster.bootstrap) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, cluster.events, settings)])
        async with asyncio.timeout(PATIENCE_S):
            while (await topics_on(admin, [cluster.events]))[cluster.events].settings["max.message.bytes"] != str(
                most_bytes
            ):
                await asyncio.sleep(0.05)


async def test_portals_whose_clocks_differ_by_ten_minutes_record_in_one_order(
    cluster: Cluster, settings: Settings
) -> None:
    ahead, behind = (replace(settings, clock=ScriptClock(T0 + timedelta(minutes=m))) for m in (11, 1))
    async with portal(ahead) as one, portal(behind) as other:
        for number in range(1, 7):
            served = (one, other)[number % 2]
            # As each sees the time: what happened a moment ago.
            event = replace(an_event(number, refs=INCIDENT), occurred_at=served.backbone.clock.now())
            answer = await served.publish(event)
            assert answer.status_code == 202, answer.text
        assert ids(await cluster.sent()) == [event_id(n) for n in range(1, 7)]
        facts = [read_fact(record.value) for record in await cluster.sent()]
        times = [fact.recorded_at for fact in facts]
        assert times == sorted(set(times))
        assert all(fact.occurred_at <= fact.recorded_at for fact in facts)
        shown, _ = await other.backbone.metrics.exposition()
        (line,) = [each for each in shown.splitlines() if each.startswith(b"ccr_recorded_ahead_seconds ")]
        assert float(line.split()[1]) > 500


async def test_a_store_that_was_filled_from_another_kafka_takes_nothing_in(
    cluster: Cluster, settings: Settings
) -> None:
    async with portal(settings) as served:
        assert (await served.publish(an_event(1, refs=INCIDENT))).status_code == 202
    await on_new_topics(cluster)
    with pytest.raises(StoreAhead, match="the store holds 1 events that were sent, and Kafka holds 0"):
        async with portal(settings):
            pass


async def on_new_topics(cluster: Cluster) -> None:
    """As if Kafka had lost its data: a generation of topics that nothing was copied to."""
    layout = Layout(cluster.layout.generation + 10_000, cluster.layout.partitions)
    wanted = catalogue(layout.size(1))
    async with cluster_admin(cluster.bootstrap) as admin:
        assert not await apply(admin, wanted, differences(wanted, await topics_on(admin, [t.name for t in wanted])))
    await write_layout(cluster.bootstrap, layout)
