"""What needs no key: policies, schemas, metrics, health; and what any key may ask."""

from __future__ import annotations

from tests.support.portals import Portal, arrest


async def test_policies_are_listed_and_shown_newest_first(desk: Portal) -> None:
    listed = (await desk.get("/v1/policies")).json()["policies"]
    versions = [p["version"] for p in listed if p["policy"] == "jail"]
    assert len(versions) > 1
    shown = (await desk.get("/v1/policies/jail")).json()
    assert shown["version"] == max(versions)
    old = await desk.get("/v1/policies/jail", version="1.0.0")
    assert old.json()["version"] == "1.0.0"
    assert shown["links"][0]["action"]
    assert (await desk.get("/v1/policies/none")).status_code == 404


async def test_schemas_are_the_published_ones(desk: Portal) -> None:
    schema = await desk.get("/schemas/arrest.made")
    assert schema.json()["$id"] == "urn:ccr:schema:arrest.made:1"
    assert schema.headers["content-type"] == "application/schema+json"
    assert (await desk.get("/schemas/envelope")).status_code == 200
    assert (await desk.get("/schemas/record")).status_code == 200
    assert (await desk.get("/schemas/none")).status_code == 404


async def test_metrics_count_what_was_published(desk: Portal) -> None:
    await desk.accept(arrest())
    metrics = await desk.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    assert 'ccr_events_total{agency="le",type="arrest.made"} 1.0' in metrics.text
    assert "26-0101" not in metrics.text


async def test_alive_and_ready(desk: Portal) -> None:
    assert (await desk.get("/healthz")).status_code == 200
    ready = await desk.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "reasons": {}})


async def test_key_says_whose_it_is(desk: Portal) -> None:
    assert (await desk.get("/v1/key", "adv")).json()["agency"] == "adv"
