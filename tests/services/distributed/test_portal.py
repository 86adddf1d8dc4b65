"""The portal of the Kafka engine: 202 means on the topic, 503 means try again, and nothing is lost between the two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.agencies import Agency
from ccr_events.envelope import STRUCTURED, Event, decode_record, write_structured
from services.distributed import Backbone, Settings, open_backbone
from services.engine.kafka.broker import kill_node, start
from services.engine.kafka.outgoing import KafkaOutgoing, partition_of
from services.engine.kafka.outgoing import record as record_module
from services.engine.kafka.topics import Layout
from services.engine.kafka.topics.repartition import repartition
from services.engine.sql.outgoing import OutgoingRecord
from services.portal.app import create_app
from tests.services.distributed.conftest import PARTITIONS, Cluster
from tests.support.doors import an_event, event_id, party
from tests.support.portals import PLANTED, called, problem_of

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
INCIDENT = (("incident_no", "26-0101"),)


@dataclass
class Portal:
    """A portal, called in this process."""

    backbone: Backbone
    http: httpx.AsyncClient
    keys: dict[str, str] = field(repr=False)

    async def publish(self, event: Event, agency: str = "le", **query: str) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.keys[agency]}", "content-type": STRUCTURED}
        body = orjson.dumps(write_structured(event))
        return await self.http.post("/v1/events", content=body, headers=headers, params=query)

    async def ask(self, method: str, path: str, agency: str = "ccr", body: Any = None) -> httpx.Response:
        return await self.http.request(
            method, path, headers={"authorization": f"Bearer {self.keys[agency]}"}, json=body
        )


@asynccontextmanager
async def portal(settings: Settings) -> AsyncIterator[Portal]:
    async with open_backbone(settings) as backbone, called(create_app(backbone)) as http:
        keys = {agency: await backbone.issue_key(Agency(agency), "tests") for agency in ("le", "ccr", "jail")}
        yield Portal(backbone, http, keys)


def ids(records: Sequence[Any]) -> list[str]:
    return [decode_record(record.value)["id"] for record in records]


async def test_202_means_that_the_record_is_on_the_topic_at_its_place(cluster: Cluster, settings: Settings) -> None:
    people = (party("suspect", "Sam"), party("victim", "Vera", PLANTED))
    async with portal(settings) as served:
        response = await served.publish(an_event(1, refs=INCIDENT, parties=people, dv="yes"))
        assert response.status_code == 202, response.text
        [record] = await cluster.sent()
        case_id = response.json()["case_id"]
        assert record.key == case_id.encode()
        assert record.partition == partition_of(record.key, PARTITIONS)
        assert record.headers == ()
        [stored] = await served.backbone.log.read(0)
        assert (record.value, response.json()["position"]) == (stored.body, stored.position)
        assert PLANTED.encode() not in record.value

        assert (await served.publish(an_event(1, refs=INCIDENT, parties=people, dv="yes"))).status_code == 200
        await served.publish(an_event(2, refs=INCIDENT), alerting="false")
        assert [(each.key, each.headers) for each in await cluster.sent()] == [
            (record.key, ()),
            (record.key, (("alerting", b"0"),)),
        ]


async def test_an_event_that_no_record_holds_is_refused_and_nothing_of_it_is_committed(
    cluster: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_module, "MAX_EVENT_RECORD_BYTES", 20_000)
    async with portal(settings) as served:
        problem = problem_of(await served.publish(an_event(1, refs=INCIDENT, narrative="x" * 20_000)), 422)
        assert "too large for the log" in problem["title"]
        assert problem["quarantine_id"]
        assert (await served.publish(an_event(2, refs=INCIDENT))).status_code == 202
        assert ids(await cluster.sent()) == [event_id(2)]


async def test_kafka_that_is_down_is_a_503_and_what_was_kept_is_sent_first_when_it_is_back(
    cluster: Cluster, settings: Settings
) -> None:
    async with portal(settings) as served:
        assert (await served.publish(an_event(1, refs=INCIDENT))).status_code == 202
        await kill_node(cluster.directory, 1)
        problem = problem_of(await served.publish(an_event(2, refs=INCIDENT)), 503)
        assert problem["title"] == "The backbone cannot store anything now"
        problem_of(await served.publish(an_event(3, refs=INCIDENT)), 503)
        ready = await served.http.get("/readyz")
        assert ready.status_code == 503
        assert "see that its brokers run" in ready.json()["reasons"]["kafka"]

        await start(cluster.directory, heap_mb=256)
        async with asyncio.timeout(60):
            while (again := await served.publish(an_event(3, refs=INCIDENT))).status_code == 503:
                await asyncio.sleep(0.2)
        assert again.status_code == 202
        # The second was committed before Kafka refused: it went out before the third, without being asked for.
        assert (await served.publish(an_event(2, refs=INCIDENT))).status_code == 200
        assert list(dict.fromkeys(ids(await cluster.sent()))) == [event_id(1), event_id(2), event_id(3)]
        assert (await served.http.get("/readyz")).status_code == 200


async def test_after_a_crash_between_commit_and_sending_another_worker_sends_it_though_nothing_new_comes(
    cluster: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: KafkaOutgoing, records: Sequence[OutgoingRecord]) -> None:
        raise RuntimeError("the process ended here")

    async with portal(settings) as crashing:
        with monkeypatch.context() as ended:
            ended.setattr(KafkaOutgoing, "send", crash)
            problem_of(await crashing.publish(an_event(1, refs=INCIDENT)), 503)
            assert await crashing.backbone.log.known([event_id(1)]) == {event_id(1)}
            assert await cluster.sent() == []
    async with open_backbone(settings), asyncio.timeout(30):
        while not (sent := await cluster.sent()):
            await asyncio.sleep(0.1)
    assert ids(sent) == [event_id(1)]


async def test_two_portals_that_race_for_one_number_make_one_case_in_one_order(
    cluster: Cluster, settings: Settings
) -> None:
    async with portal(settings) as one, portal(settings) as other:
        answers = await asyncio.gather(
            *((one, other)[n % 2].publish(an_event(n, refs=INCIDENT, narrative="what he did")) for n in range(1, 41))
        )
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["case_id"] for answer in answers}) == 1
        log = [decode_record(record.body) for record in await one.backbone.log.read(0)]
        times = [record["recordedtime"] for record in log]
        assert times == sorted(set(times))
        assert ids(await cluster.sent()) == [record["id"] for record in log]
        opened = [
            await served.ask("POST", f"/v1/events/{event_id(n)}/open", "le", {"labels": ["CJI"], "purpose": "repair"})
            for n, served in ((1, other), (2, one))
        ]
        assert [answer.status_code for answer in opened] == [200, 200]
        assert all("what he did" in answer.text for answer in opened)


async def test_what_follows_a_merge_is_placed_in_the_surviving_case_at_once(
    cluster: Cluster, settings: Settings
) -> None:
    def merge(number: int, **more: Any) -> Event:
        data = {"into": cases[0], "cause": "shared_references"}
        return replace(an_event(number, "case.merged", **data), case_id=cases[1], **more)

    async with portal(settings) as served:
        numbers = [(("incident_no", f"26-{n}"),) for n in (1, 2)]
        cases = [(await served.publish(an_event(n, refs=numbers[n - 1]))).json()["case_id"] for n in (1, 2)]
        assert (await served.publish(merge(3), "ccr")).status_code == 202
        assert (await served.publish(an_event(4, refs=numbers[1]))).json()["case_id"] == cases[0]
        retracted = replace(an_event(5, "event.retracted", reason="entered_in_error"), corrects=event_id(3))
        assert (await served.publish(retracted, "ccr")).json()["case_id"] == cases[1]
        assert (await served.publish(an_event(6, refs=numbers[1]))).json()["case_id"] == cases[1]


async def test_cases_are_not_folded_anew_here_and_the_answer_says_where(cluster: Cluster, settings: Settings) -> None:
    async with portal(settings) as served:
        answer = await served.ask("POST", "/v1/operations/refold", body={"case_ids": ["case-1"]})
        assert "casebook's workers" in problem_of(answer, 501)["detail"]


async def test_a_worker_that_missed_a_repartition_sends_nothing_more(
    cluster: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.distributed.LAYOUT_S", 0.01)
    monkeypatch.setattr("services.distributed.read_layout", _other_layout)
    async with portal(settings) as served:
        async with asyncio.timeout(30):
            while (await served.http.get("/readyz")).status_code == 200:
                await asyncio.sleep(0.01)
        problem_of(await served.publish(an_event(1, refs=INCIDENT)), 503)
        assert "start it again" in (await served.http.get("/readyz")).json()["reasons"]["kafka"]
    assert await cluster.sent() == []


async def test_a_portal_that_was_forgotten_in_a_repartition_loses_nothing(cluster: Cluster, settings: Settings) -> None:
    wider = cluster.wider(PARTITIONS + 2)
    async with portal(settings) as forgotten:
        assert (await forgotten.publish(an_event(1, refs=INCIDENT))).status_code == 202
        assert (await repartition(cluster.bootstrap, cluster.layout.size(1), PARTITIONS + 2)).records == 1
        problem_of(await forgotten.publish(an_event(2, refs=INCIDENT)), 503)
        assert ids(await cluster.sent()) == [event_id(1)]
    async with portal(settings) as restarted, asyncio.timeout(60):
        while len(sent := await wider.sent()) < 2:
            await asyncio.sleep(0.1)
        assert (await restarted.publish(an_event(2, refs=INCIDENT))).status_code == 200
        assert (await restarted.publish(an_event(3, refs=INCIDENT))).status_code == 202
    assert ids(sent) == [event_id(1), event_id(2)]
    sent = await wider.sent()
    assert ids(sent) == [event_id(1), event_id(2), event_id(3)]
    assert {record.partition for record in sent} == {partition_of(sent[0].key, PARTITIONS + 2)}


async def _other_layout(bootstrap: str, security: object) -> Layout:
    return Layout(1_000, PARTITIONS)
