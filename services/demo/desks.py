"""Every agency's desk: the HTTP calls its adapter and its practitioners make, each under the agency's own key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from ccr_events.envelope import Event
from ccr_events.envelope.wire import BATCH, STRUCTURED, write_structured

TIMEOUT_S = 30.0
"""How long one call may take."""


class Refused(RuntimeError):
    """The backbone answered otherwise than the script expects. Names the call, the status and the fields."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back for one submission."""

    status: str
    """`accepted`, `duplicate`, `quarantined`, `conflict` or `forbidden`."""
    event_id: str = ""
    case_id: str = ""
    position: int = 0
    quarantine_id: str = ""
    why: str = ""


class Desks:
    """Calls to one backbone. Use as an async context manager."""

    def __init__(self, url: str, keys: Mapping[str, str], http: httpx.AsyncClient | None = None) -> None:
        """`keys`: agency → API key; `http`: in place of a client of its own, closed with it all the same."""
        self._keys = keys
        self._http = http or httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False)

    async def __aenter__(self) -> Desks:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def publish(self, agency: str, event: Event) -> Answered:
        """One event, structured mode."""
        return _answered(await self._post(agency, "/v1/events", orjson.dumps(write_structured(event)), STRUCTURED))

    async def publish_all(self, agency: str, events: Sequence[Event]) -> list[Answered]:
        """A batch."""
        body = orjson.dumps([write_structured(event) for event in events])
        response = await self._post(agency, "/v1/events", body, BATCH)
        if response.status_code not in (202, 207):
            raise _refused("a batch", response)
        return [_receipt(receipt) for receipt in response.json()["receipts"]]

    async def redrive(self, agency: str, quarantine_id: str, event: Event) -> Answered:
        """A quarantined event, repaired."""
        body = orjson.dumps(write_structured(event))
        return _answered(await self._post(agency, f"/v1/quarantine/{quarantine_id}/redrive", body, STRUCTURED))

    async def open_links(self, agency: str, case_id: str) -> list[dict[str, Any]]:
        """The open links of a case that the agency may see."""
        query = {"case_id": case_id, "open_only": "true", "limit": "200"}
        response = await self._http.get("/v1/links", params=query, headers=self._as(agency))
        if response.status_code != 200:
            raise _refused("the links of a case", response)
        found = response.json()
        return list(found["links"]) if isinstance(found, dict) else list(found)

    async def answer(self, agency: str, link_id: str, answer: str, body: Mapping[str, Any]) -> Answered:
        """Acknowledge, complete or waive a link."""
        path = f"/v1/links/{link_id}/{answer}"
        return _answered(await self._post(agency, path, orjson.dumps(body), "application/json"))

    async def proposals(self) -> list[dict[str, Any]]:
        """Merge proposals that wait, as the tracking entity sees them."""
        response = await self._http.get("/v1/proposals", headers=self._as("ccr"))
        if response.status_code != 200:
            raise _refused("the proposals", response)
        found = response.json()
        return list(found["proposals"]) if isinstance(found, dict) else list(found)

    async def decide(self, proposal_id: str, decision: str) -> None:
        """Accept or reject a proposal."""
        path = f"/v1/proposals/{proposal_id}/{decision}"
        response = await self._post("ccr", path, b"", "application/json")
        if response.status_code not in (200, 202, 204):
            raise _refused(f"to {decision} a proposal", response)

    async def _post(self, agency: str, path: str, body: bytes, media: str) -> httpx.Response:
        return await self._http.post(path, content=body, headers={**self._as(agency), "content-type": media})

    def _as(self, agency: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._keys[agency]}"}


_STATUS = {200: "duplicate", 202: "accepted", 403: "forbidden", 409: "conflict", 422: "quarantined"}


def _answered(response: httpx.Response) -> Answered:
    status = _STATUS.get(response.status_code)
    if status is None:
        raise _refused(response.request.url.path, response)
    return _receipt({"status": status, **response.json()} if response.status_code < 400 else _problem(status, response))


def _problem(status: str, response: httpx.Response) -> dict[str, Any]:
    return {**response.json(), "status": status}


def _receipt(body: Mapping[str, Any]) -> Answered:
    errors = "; ".join(f"{e['pointer']} {e['message']}" for e in body.get("errors") or ())
    return Answered(
        status=body["status"],
        event_id=body.get("event_id") or "",
        case_id=body.get("case_id") or "",
        position=body.get("position") or 0,
        quarantine_id=body.get("quarantine_id") or "",
        why=": ".join(part for part in (body.get("title") or "", body.get("detail") or "", errors) if part),
    )


def _refused(what: str, response: httpx.Response) -> Refused:
    return Refused(f"asked for {what}, the backbone answered {response.status_code}: {response.text[:300]}")
