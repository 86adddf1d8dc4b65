"""The reading side alone: alerts, links and cases as the portal shows them; it accepts nothing, and says who does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import httpx
import orjson
import pytest

from ccr_events.envelope import STRUCTURED, write_structured
from services.portal.app import create_reading_app
from services.portal.server import served
from tests.support.doors import an_event
from tests.support.portals import Portal, arrest, called, portal, problem_of

T = TypeVar("T")


@pytest.fixture
async def whole(tmp_path: Path) -> AsyncIterator[Portal]:
    async with portal(tmp_path) as opened:
        yield opened


@pytest.fixture
async def reading(whole: Portal) -> AsyncIterator[httpx.AsyncClient]:
    async with called(create_reading_app(whole.backbone)) as http:
        yield http


@pytest.mark.parametrize("path", ["/v1/links", "/v1/policies", "/v1/cases/{case}", "/v1/links?open_only=false"])
async def test_it_answers_as_the_portal_does(whole: Portal, reading: httpx.AsyncClient, path: str) -> None:
    case = await whole.accept(arrest())
    path = path.replace("{case}", case)
    for agency in ("le", "adv", "jail", "ccr", None):
        here = await reading.get(path, headers=whole.headers(agency))
        there = await whole.get(path, agency)
        assert (here.status_code, here.content) == (there.status_code, there.content)


async def test_it_accepts_nothing_and_says_who_does(whole: Portal, reading: httpx.AsyncClient) -> None:
    await whole.accept(arrest())
    link = (await whole.get("/v1/links", "le")).json()["links"][0]["id"]
    before = await whole.backbone.log.read(0)
    headers = whole.headers("le")
    event = write_structured(an_event(2))
    for answer in (
        await reading.post("/v1/events", json=event, headers={**headers, "content-type": STRUCTURED}),
        await reading.post(f"/v1/links/{link}/acknowledge", json={"role": "officer"}, headers=headers),
        await reading.post(f"/v1/events/{an_event(1).id}/open", json={"purpose": "safety"}, headers=headers),
        await reading.put("/v1/anything", headers=headers),
        await reading.delete("/v1/keys/1", headers=headers),
    ):
        assert answer.headers["allow"] == "GET"
        assert "portal" in problem_of(answer, 405)["detail"]
    assert await whole.backbone.log.read(0) == before


async def test_what_only_the_portal_shows_is_not_there(whole: Portal, reading: httpx.AsyncClient) -> None:
    for path in ("/v1/quarantine", "/v1/keys", "/live", "/v1/openapi.json"):
        assert (await reading.get(path, headers=whole.headers("ccr"))).status_code == 404


async def test_it_says_how_it_is(reading: httpx.AsyncClient) -> None:
    assert (await reading.get("/readyz")).status_code == 200
    assert "ccr_alert_subscribers" in (await reading.get("/metrics")).text


async def test_who_loses_the_portal_resumes_here(whole: Portal) -> None:
    await whole.accept(arrest())
    committed = [item.transition.id async for page in _first(whole.backbone.alerts.follow(0)) for item in page]
    seen: list[str] = []
    async with served(create_reading_app(whole.backbone)) as (url, _), httpx.AsyncClient(base_url=url) as http:
        for after in ("0", "1"):
            headers = {**whole.headers("ccr"), "last-event-id": after}
            async with http.stream("GET", "/v1/alerts", headers=headers) as answer:
                lines = answer.aiter_lines()
                data = [line async for line in _first(line async for line in lines if line.startswith("data: "))]
                seen.append(orjson.loads(data[0][6:])["id"])
    assert seen == committed[:2]


async def _first(items: AsyncIterator[T]) -> AsyncIterator[T]:
    async for item in items:
        yield item
        return
