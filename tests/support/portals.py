"""The portal on a real backbone in a temporary directory, called in this process, each agency under its own key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
import orjson
from litestar import Litestar

from ccr_events.agencies import Agency
from ccr_events.envelope import BATCH, STRUCTURED, Event, write_structured
from services.demo.clock import ScriptClock
from services.embedded import Backbone, Settings, open_backbone
from services.intake.advocacy import ReleaseIsLive, no_release_is_live
from services.portal.app import create_app
from tests.support.doors import T0, an_event, party

PLANTED = "Testperson-Planted"
STREET = "1 Nowhere Lane"
INCIDENT = (("incident_no", "26-0101"),)


class Issuing(Protocol):
    """Whoever makes API keys: a backbone on either engine."""

    async def issue_key(self, agency: Agency, label: str = "") -> str: ...


@dataclass
class Portal:
    """The parts around one portal."""

    backbone: Backbone
    app: Litestar
    clock: ScriptClock
    keys: Mapping[str, str] = field(repr=False)
    http: httpx.AsyncClient

    def headers(self, agency: str | None) -> dict[str, str]:
        return {} if agency is None else {"authorization": f"Bearer {self.keys[agency]}"}

    async def get(self, path: str, agency: str | None = None, **query: Any) -> httpx.Response:
        return await self.http.get(path, headers=self.headers(agency), params=query or None)

    async def post(
        self, path: str, agency: str | None = None, body: Any = b"", media: str = "application/json", **headers: str
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(
            path, content=content, headers={**self.headers(agency), "content-type": media, **named}
        )

    async def publish(self, event: Event, agency: str = "le") -> httpx.Response:
        return await self.post("/v1/events", agency, write_structured(event), STRUCTURED)

    async def publish_all(self, *items: Event | object, agency: str = "le") -> httpx.Response:
        forms = [write_structured(item) if isinstance(item, Event) else item for item in items]
        return await self.post("/v1/events", agency, forms, BATCH)

    async def accept(self, event: Event, agency: str = "le") -> str:
        """Publish; returns the case id."""
        response = await self.publish(event, agency)
        assert response.status_code == 202, response.text
        return str(response.json()["case_id"])

    async def link(self, case_id: str, rule: str, agency: str = "ccr") -> dict[str, Any]:
        """The link of a rule, as an agency sees it."""
        response = await self.get("/v1/links", agency, case_id=case_id, open_only="false")
        (found,) = [link for link in response.json()["links"] if link["rule"] == rule]
        return dict(found)


@asynccontextmanager
async def portal(
    directory: Path, *, release_is_live: ReleaseIsLive = no_release_is_live, **settings: Any
) -> AsyncIterator[Portal]:
    """`settings` are those of `create_app`."""
    clock = ScriptClock(T0 + timedelta(minutes=1))
    async with open_backbone(Settings(data=directory, clock=clock, release_is_live=release_is_live)) as backbone:
        keys = await keys_of(backbone)
        app = create_app(backbone, **settings)
        async with called(app) as http:
            yield Portal(backbone, app, clock, keys, http)


@asynccontextmanager
async def called(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """The application, called in this process."""
    transport = httpx.ASGITransport(app)
    async with alive(app), httpx.AsyncClient(transport=transport, base_url="http://portal") as http:
        yield http


async def keys_of(backbone: Issuing) -> dict[str, str]:
    """A key for each agency."""
    issued = await asyncio.gather(*(backbone.issue_key(agency, "tests") for agency in Agency))
    return {agency.value: key for agency, key in zip(Agency, issued, strict=True)}


@asynccontextmanager
async def alive(app: Litestar) -> AsyncIterator[None]:
    """The application started, and stopped in the end, both in one task as it demands."""
    started, over = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with app.lifespan():
            started.set()
            await over.wait()

    running = asyncio.create_task(run())
    await started.wait()
    try:
        yield
    finally:
        over.set()
        await running


def arrest(number: int = 1, **data: Any) -> Event:
    """Police made an arrest for domestic violence: opens L06a (owed by le) and L06b (owed by adv)."""
    people = (party("suspect", "Sam"), {**party("victim", "Vera", PLANTED), "address": STREET})
    return an_event(number, refs=INCIDENT, parties=people, dv="yes", **data)


def report(number: int = 2, **data: Any) -> Event:
    """The written report: opens L09a (owed by le, satisfied by saying so)."""
    return an_event(number, "incident.reported", refs=INCIDENT, dv="yes", **data)


def problem_of(response: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal, checked for its shape (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["title"]
    assert PLANTED not in response.text
    return found


def pointers(problem: Mapping[str, Any]) -> list[str]:
    return [error["pointer"] for error in problem["errors"]]
