"""What the portal answers is what its OpenAPI document says, also when it refuses."""

from __future__ import annotations

from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from services.portal.openapi import openapi_document
from tests.support.doors import an_event
from tests.support.portals import PLANTED, Portal, arrest


@cache
def document() -> dict[str, Any]:
    return openapi_document()


def check(response: httpx.Response, method: str, path: str) -> None:
    """The answer of an operation, held to its description."""
    described = document()["paths"][path][method]["responses"].get(str(response.status_code))
    assert described is not None, f"{method} {path} answers {response.status_code}, which is not described"
    media = response.headers["content-type"].partition(";")[0]
    assert media in described["content"]
    schema = described["content"][media]["schema"]
    if media.endswith("json"):
        Draft202012Validator({**schema, "components": document()["components"]}).validate(response.json())


async def test_answers_are_as_described(desk: Portal) -> None:
    check(await desk.publish(arrest()), "post", "/v1/events")
    check(await desk.publish(arrest()), "post", "/v1/events")
    check(await desk.publish_all(arrest(), {}), "post", "/v1/events")
    (first, *_) = (await desk.get("/v1/links", "ccr")).json()["links"]
    case_id = first["case_id"]
    for event in (an_event(5, refs=(("order_no", "O-1"),)), an_event(6, refs=(("order_no", "O-1"), ("cad_no", "1")))):
        check(await desk.publish(event), "post", "/v1/events")
    paths = [
        ("/v1/links", "/v1/links"),
        ("/v1/links/{link_id}", f"/v1/links/{first['id']}"),
        ("/v1/cases/{case_id}", f"/v1/cases/{case_id}"),
        ("/v1/quarantine", "/v1/quarantine"),
        ("/v1/proposals", "/v1/proposals"),
        ("/v1/key", "/v1/key"),
        ("/v1/policies", "/v1/policies"),
        ("/v1/policies/{name}", "/v1/policies/jail"),
        ("/schemas/{name}", "/schemas/arrest.made"),
        ("/openapi.json", "/openapi.json"),
        ("/metrics", "/metrics"),
        ("/healthz", "/healthz"),
        ("/readyz", "/readyz"),
        ("/", "/"),
    ]
    for described, path in paths:
        response = await desk.get(path, "ccr")
        assert response.status_code == 200
        check(response, "get", described)
    opened = await desk.post(f"/v1/events/{arrest().id}/open", "le", {"labels": ["VLOC"], "purpose": "safety"})
    check(opened, "post", "/v1/events/{event_id}/open")
    acknowledged = await desk.post(f"/v1/links/{first['id']}/acknowledge", first["agency"], {"role": first["role"]})
    assert acknowledged.status_code == 202
    check(acknowledged, "post", "/v1/links/{link_id}/acknowledge")
    (held,) = (await desk.get("/v1/quarantine", "le")).json()["quarantined"]
    for verb, status in (("open", 200), ("redrive", 422), ("discard", 200), ("discard", 409)):
        response = await desk.post(f"/v1/quarantine/{held['id']}/{verb}", "le")
        assert response.status_code == status
        check(response, "post", f"/v1/quarantine/{{quarantine_id}}/{verb}")


async def test_refusals_are_as_described(desk: Portal) -> None:
    link_id = "none"
    for path, agency in (("/v1/links", None), ("/v1/links?limit=0", "le"), ("/v1/proposals", "le")):
        check(await desk.get(path, agency), "get", path.partition("?")[0])
    check(await desk.get(f"/v1/links/{link_id}", "le"), "get", "/v1/links/{link_id}")
    check(await desk.get("/v1/proposals?limit=0", "ccr"), "get", "/v1/proposals")
    check(await desk.get("/v1/alerts?kind=none", "le"), "get", "/v1/alerts")
    check(await desk.publish(arrest(), "bip"), "post", "/v1/events")
    check(await desk.publish(arrest(arrest_type=PLANTED)), "post", "/v1/events")
    check(await desk.post("/v1/events", "le"), "post", "/v1/events")
    for verb in ("acknowledge", "complete", "waive"):
        for body in ({}, {"role": "patrol sergeant", "reason": "other"}, b" " * 70_000):
            check(await desk.post(f"/v1/links/{link_id}/{verb}", "le", body), "post", f"/v1/links/{{link_id}}/{verb}")
