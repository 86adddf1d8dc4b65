"""The reading side without Kafka: what is in the store is shown, and that receipts wait is told."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from ccr_events.agencies import Agency
from services import reading
from services.engine.kafka.topics.in_force import NO_LAYOUT, NoTopics
from services.engine.sql.store import open_store
from services.intake.api_keys import ApiKeys
from services.portal.app import create_reading_app
from services.reading import Settings, open_reading
from tests.support.core_rules import fact
from tests.support.fakes import StandingClock
from tests.support.portals import called
from tests.support.records import record
from tests.support.sending import Sent

NOBODY = "127.0.0.1:1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(NOBODY, f"sqlite:///{tmp_path / 'store.sqlite'}", kafka_patience_s=0.3)


async def test_people_read_while_kafka_is_away(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    async with open_store(settings.store) as store:
        issued = await ApiKeys(store.writer, StandingClock()).issue(Agency.ADV.value, "tests")
    with caplog.at_level(logging.WARNING):
        async with open_reading(settings) as opened, called(create_reading_app(opened)) as http:
            assert f"receipts wait: Kafka at {NOBODY}" in caplog.text
            assert (await http.get("/readyz")).status_code == 200
            links = await http.get("/v1/links", headers={"authorization": f"Bearer {issued.text}"})
            assert links.json() == {"links": []}
            assert "ccr_receipts_refused 1.0" in (await http.get("/metrics")).text


async def test_alerts_go_out_though_another_worker_has_newer_policies(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    judged = record(fact(1, "call.closed", edition="2031-01-01-0000aaaa"))
    async with open_store(settings.store, Sent()) as store:
        await store.writer.write(lambda tx: tx.events.append(judged))
    async with open_reading(settings) as opened, called(create_reading_app(opened)) as http:
        async with asyncio.timeout(30):
            while "ccr_policies_missing 1.0" not in (await http.get("/metrics")).text:
                await asyncio.sleep(0.05)
        assert (await http.get("/readyz")).status_code == 200
    assert "policy edition 2031-01-01-0000aaaa, which the package does not have" in caplog.text


async def test_a_kafka_without_topics_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(*_: object, **__: object) -> None:
        raise NoTopics(NO_LAYOUT)

    monkeypatch.setattr(reading, "checked_size", none)
    with pytest.raises(NoTopics, match="topics apply"):
        async with open_reading(settings):
            pass
