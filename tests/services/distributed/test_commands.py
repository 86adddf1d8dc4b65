"""`ccr worker portal` and `ccr worker intake` as processes of their own, on one store, started and stopped."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from ccr_events.envelope import STRUCTURED, decode_record, write_structured
from services.cli.local import read_server
from services.cli.main import run
from services.distributed import Settings
from services.engine.kafka.topics.catalogue import INBOUND
from tests.services.distributed.conftest import Cluster
from tests.support.doors import an_event, event_id
from tests.support.running import running

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio(loop_scope="session")]
INCIDENT = (("incident_no", "26-0101"),)


async def test_what_comes_by_http_and_what_comes_by_topic_meet_in_one_case(
    cluster: Cluster, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["--bootstrap", cluster.bootstrap, "--store", settings.store, "--keys", settings.keys]
    shared += ["--master-key", str(settings.master_key), "--port", "0", "--json"]
    local = tmp_path / "local"
    with running(tmp_path / "portal", "worker", "portal", "--local-keys", str(local), *shared) as portal:
        url = (await asyncio.to_thread(portal.line))["url"]
        with running(tmp_path / "intake", "worker", "intake", *shared) as intake:
            watch = (await asyncio.to_thread(intake.line))["url"]
            key = await asyncio.to_thread(issued, settings.store, capsys)
            async with httpx.AsyncClient() as http:
                headers = {"authorization": f"Bearer {key}", "content-type": STRUCTURED}
                body = orjson.dumps(write_structured(an_event(1, refs=INCIDENT)))
                answer = await http.post(f"{url}/v1/events", content=body, headers=headers)
                assert answer.status_code == 202, answer.text
                await written(cluster, orjson.dumps(write_structured(an_event(2, refs=INCIDENT))), b"no event")
                async with asyncio.timeout(60):
                    while len(sent := await cluster.sent()) < 2:
                        await asyncio.sleep(0.2)
                    while not (
                        waiting := (await http.get(f"{url}/v1/quarantine", headers=headers)).json()["quarantined"]
                    ):
                        await asyncio.sleep(0.2)
                assert [decode_record(record.value)["id"] for record in sent] == [event_id(1), event_id(2)]
                assert {record.key for record in sent} == {answer.json()["case_id"].encode()}
                assert [entry["title"] for entry in waiting] == ["The event cannot be read"]
                assert (await http.get(f"{watch}/readyz")).status_code == 200
                figures = (await http.get(f"{watch}/metrics")).text
                assert 'ccr_events_total{agency="le",type="arrest.made"} 1.0' in figures
                assert 'ccr_inbound_lag_records{agency="le"} 0.0' in figures
                assert (await http.get(f"{watch}/v1/links", headers=headers)).status_code == 404
                assert "ccr_sending_refused 0.0" in (await http.get(f"{url}/metrics")).text
                # What could not be read is repaired by whoever sent it, and goes the same way as everything else.
                repaired = tmp_path / "repaired.json"
                repaired.write_bytes(orjson.dumps(write_structured(an_event(3, refs=INCIDENT))))
                one = [waiting[0]["id"][:8], "--data", str(local), "--as", "le"]
                assert await asyncio.to_thread(run, ["quarantine", "redrive", *one]) == 1
                assert await asyncio.to_thread(run, ["quarantine", "redrive", *one, "--file", str(repaired)]) == 0
                again = await cluster.sent()
                assert [decode_record(record.value)["id"] for record in again] == [event_id(n) for n in (1, 2, 3)]
                assert {record.key for record in again} == {answer.json()["case_id"].encode()}
                assert (await http.get(f"{url}/v1/quarantine", headers=headers)).json()["quarantined"] == []
            assert await asyncio.to_thread(intake.stop, signal.SIGTERM) == 0, intake.told
        assert await asyncio.to_thread(portal.stop, signal.SIGTERM) == 0, portal.told
        assert read_server(local) is None  # nobody is led to a portal that has stopped
        assert portal.told == intake.told == ""


def issued(store: str, capsys: pytest.CaptureFixture[str]) -> str:
    """A key for police, made while the workers run, and a second one that is revoked."""

    def told(*arguments: str) -> dict[str, object]:
        assert run(["keys", *arguments, "--store", store, "--json"]) == 0
        found: dict[str, object] = orjson.loads(capsys.readouterr().out)
        return found

    key = str(told("issue", "--agency", "le")["key"])
    other = str(told("issue", "--agency", "le")["key_id"])
    assert told("revoke", other)["revoked"]
    listed = told("list")["keys"]
    assert isinstance(listed, list)
    assert [each["key_id"] for each in listed if each["revoked_at"] is not None] == [other]
    return key


async def written(cluster: Cluster, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all") as producer:
        for value in values:
            await producer.send_and_wait(INBOUND + "le", value)
