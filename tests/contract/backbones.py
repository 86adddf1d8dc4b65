"""What a test asks of a backbone, whichever engine is under it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import orjson

from ccr_events.core.codec import encode_transition
from ccr_events.envelope import BATCH, STRUCTURED, Event, read_fact, write_structured
from services.demo.clock import ScriptClock
from services.engine.ports import AlertSource, Log


@dataclass(frozen=True, slots=True)
class Made:
    """What a backbone made of the events, as bytes where bytes are compared."""

    views: Mapping[str, bytes]
    """Case id → its view."""
    transitions: Mapping[str, bytes]
    """By id."""
    links: bytes
    """Every link, as the tracking entity is answered."""
    log: Mapping[str, tuple[str, str, str, datetime, datetime]]
    """Event id → its type, agency, case, and when it occurred and was recorded."""


@dataclass
class UnderTest:
    """A backbone, called in this process, with a clock that stands until it is moved."""

    http: httpx.AsyncClient
    keys: Mapping[str, str] = field(repr=False)
    clock: ScriptClock
    log: Log
    alerts: AlertSource
    settle: Callable[[], Awaitable[None]]
    """Returns once everything accepted is folded, every deadline that has passed fired, and what follows readable."""
    pending: Callable[[], Awaitable[datetime | None]]
    """The earliest deadline that was not fired, with everything settled."""
    views: Callable[[], Awaitable[Mapping[str, bytes]]]

    async def get(self, path: str, agency: str | None = "ccr", **query: Any) -> httpx.Response:
        return await self.http.get(path, headers=self._as(agency), params=query or None)

    async def post(self, path: str, agency: str | None, body: Any, media: str = "application/json") -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post(path, content=content, headers={**self._as(agency), "content-type": media})

    async def publish(self, event: Event, agency: str = "le", **query: str) -> httpx.Response:
        """One event; returns with what follows from it settled."""
        path = "/v1/events" + (f"?{httpx.QueryParams(query)}" if query else "")
        response = await self.post(path, agency, write_structured(event), STRUCTURED)
        await self.settle()
        return response

    async def publish_all(self, *items: Event | object, agency: str = "le") -> httpx.Response:
        forms = [write_structured(item) if isinstance(item, Event) else item for item in items]
        response = await self.post("/v1/events", agency, forms, BATCH)
        await self.settle()
        return response

    async def accept(self, event: Event, agency: str = "le", **query: str) -> str:
        """Publish; returns the case id."""
        response = await self.publish(event, agency, **query)
        assert response.status_code == 202, response.text
        return str(response.json()["case_id"])

    async def links(self, case_id: str, agency: str = "ccr") -> dict[str, dict[str, Any]]:
        """Rule → its link in a case, as an agency sees it."""
        response = await self.get("/v1/links", agency, case_id=case_id, open_only="false")
        assert response.status_code == 200, response.text
        return {link["rule"]: link for link in response.json()["links"]}

    async def told(self) -> list[Any]:
        """Every transition so far, in the order in which people hear of them."""
        last, found = await self.alerts.last_seq(), list[Any]()
        if last:
            async for page in self.alerts.follow(0):
                found += page
                if len(found) >= last:
                    break
        return found

    async def pass_time(self, until: datetime) -> None:
        """Move the clock, stopping at every deadline until it has been fired."""
        while (due := await self.pending()) is not None and due <= until:
            self.clock.move_to(due)
            while (left := await self.pending()) is not None and left <= due:
                pass
        self.clock.move_to(until)

    async def made(self) -> Made:
        await self.settle()
        records = await self.log.read(0, 100_000)
        every = (await self.get("/v1/links", open_only="false", limit=1_000)).json()["links"]
        return Made(
            await self.views(),
            {each.transition.id: encode_transition(each.transition) for each in await self.told()},
            orjson.dumps(sorted(every, key=lambda link: str(link["id"])), option=orjson.OPT_SORT_KEYS),
            {record.event_id: _facts(record.body) for record in records},
        )

    def _as(self, agency: str | None) -> dict[str, str]:
        return {} if agency is None else {"authorization": f"Bearer {self.keys[agency]}"}


def _facts(body: bytes) -> tuple[str, str, str, datetime, datetime]:
    fact = read_fact(body)
    return fact.type, fact.agency, fact.case_id, fact.occurred_at, fact.recorded_at
