"""Publishing over HTTP: one event in either mode, batches, and everything that is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ccr_events.envelope import BATCH, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, STRUCTURED, write_structured
from services.intake import holding
from services.portal.rate import Rate
from tests.support.doors import an_event, event_id
from tests.support.portals import PLANTED, Portal, arrest, pointers, portal, problem_of


async def test_an_accepted_event_is_on_the_log_when_202_is_answered(desk: Portal) -> None:
    response = await desk.publish(arrest())
    assert response.status_code == 202
    receipt = response.json()
    (record,) = await desk.backbone.log.read(0)
    assert receipt == {
        "event_id": record.event_id,
        "status": "accepted",
        "case_id": record.case_id,
        "position": record.position,
    }


async def test_the_same_event_again_is_a_duplicate_with_the_first_receipt(desk: Portal) -> None:
    first = (await desk.publish(arrest())).json()
    again = await desk.publish(arrest())
    assert again.status_code == 200
    assert again.json() == {**first, "status": "duplicate"}


async def test_the_same_id_with_other_content_is_a_conflict(desk: Portal) -> None:
    await desk.accept(arrest())
    problem = problem_of(await desk.publish(arrest(minutes=1)), 409)
    assert (problem["outcome"], problem["event_id"], pointers(problem)) == ("conflict", event_id(1), ["/id"])


async def test_an_agency_cannot_publish_what_others_do(desk: Portal) -> None:
    problem = problem_of(await desk.publish(arrest(), "bip"), 403)
    assert problem["outcome"] == "forbidden"
    assert await desk.backbone.log.read(0) == []


async def test_an_invalid_event_is_quarantined_with_the_fields(desk: Portal) -> None:
    problem = problem_of(await desk.publish(arrest(arrest_type=PLANTED)), 422)
    assert pointers(problem) == ["/data/arrest_type"]
    (entry,) = await desk.backbone.quarantine.waiting()
    assert (entry.id, entry.agency, entry.type) == (problem["quarantine_id"], "le", "arrest.made")


async def test_what_is_no_event_is_quarantined_too(desk: Portal) -> None:
    bodies = [b"", b"{", b"[]", b'"text"', b"\xff\xfe", b'{"specversion":"1.0"}', b'{"a":' * 200, PLANTED.encode()]
    for body in bodies:
        problem = problem_of(await desk.post("/v1/events", "le", body, STRUCTURED), 422)
        assert await desk.backbone.quarantine.open(problem["quarantine_id"], purpose="repair", by="0" * 16) == body
    metrics, _ = await desk.backbone.metrics.exposition()
    assert f'ccr_refused_total{{agency="le",status="quarantined"}} {len(bodies)}.0'.encode() in metrics


async def test_binary_mode(desk: Portal) -> None:
    form = write_structured(arrest())
    headers = {f"ce_{name}": str(value) for name, value in form.items() if name not in ("data", "datacontenttype")}
    response = await desk.post("/v1/events", "le", form["data"], **headers)
    assert response.status_code == 202
    assert (await desk.publish(arrest())).status_code == 200


async def test_unreadable_binary_mode_keeps_the_type_that_its_header_names(desk: Portal) -> None:
    headers = {"ce_specversion": "1.0", "ce_type": "arrest.made", "ce_id": PLANTED}
    problem_of(await desk.post("/v1/events", "le", b"{}", **headers), 422)
    headers["ce_type"] = PLANTED
    problem_of(await desk.post("/v1/events", "le", b"{ }", **headers), 422)
    assert [entry.type for entry in await desk.backbone.quarantine.waiting()] == ["arrest.made", holding.UNKNOWN_TYPE]


async def test_a_batch_that_is_taken_whole_is_202(desk: Portal) -> None:
    await desk.accept(arrest())
    response = await desk.publish_all(arrest(), an_event(2))
    assert response.status_code == 202
    assert [r["status"] for r in response.json()["receipts"]] == ["duplicate", "accepted"]
    empty = await desk.publish_all()
    assert (empty.status_code, empty.json()) == (202, {"receipts": []})


async def test_a_batch_of_which_some_is_refused_is_207_and_answers_in_order(desk: Portal) -> None:
    await desk.accept(arrest())
    response = await desk.publish_all(
        {"nothing": PLANTED},
        arrest(),
        an_event(2),
        17,
        arrest(minutes=5),
        an_event(3, "jail.booked"),
        an_event(4, arrest_type=PLANTED),
    )
    assert response.status_code == 207
    assert PLANTED not in response.text
    receipts = response.json()["receipts"]
    assert [r["status"] for r in receipts] == [
        "quarantined",
        "duplicate",
        "accepted",
        "quarantined",
        "conflict",
        "forbidden",
        "quarantined",
    ]
    assert receipts[6]["errors"][0]["pointer"] == "/data/arrest_type"
    assert {r["quarantine_id"] for r in receipts if r["status"] == "quarantined"} <= {
        entry.id for entry in await desk.backbone.quarantine.waiting()
    }


async def test_a_batch_beyond_its_bound_is_quarantined_whole(desk: Portal) -> None:
    body = orjson.dumps([None] * (MAX_BATCH_EVENTS + 1))
    problem_of(await desk.post("/v1/events", "le", body, BATCH), 422)
    assert len(await desk.backbone.quarantine.waiting()) == 1


async def test_a_full_quarantine_costs_no_readable_event(desk: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MAX_WAITING", 1)
    response = await desk.publish_all({}, [], an_event(1), "")
    first, second, taken, third = response.json()["receipts"]
    assert taken["status"] == "accepted"
    kept = [receipt for receipt in (first, second, third) if "quarantine_id" in receipt]
    assert len(kept) == 1
    assert all("full" in receipt["title"] for receipt in (first, second, third) if receipt not in kept)
    assert "full" in problem_of(await desk.post("/v1/events", "le", b"!", STRUCTURED), 422)["title"]


async def test_another_media_type_is_415(desk: Portal) -> None:
    for media in ("application/json", "text/plain", "", "application/cloudevents+xml", "application/cloudevents"):
        response = await desk.post("/v1/events", "le", write_structured(arrest()), media)
        problem_of(response, 415)
        assert STRUCTURED in response.headers["accept"]
    assert await desk.backbone.quarantine.waiting() == []


@pytest.mark.parametrize(("media", "limit"), [(STRUCTURED, MAX_EVENT_BYTES), (BATCH, MAX_BATCH_BYTES)])
async def test_an_announced_body_that_is_too_large_is_not_read(desk: Portal, media: str, limit: int) -> None:
    problem_of(await desk.post("/v1/events", "le", b"{}", media, content_length=str(limit + 1)), 413)


async def test_an_unannounced_body_is_given_up_at_the_limit(desk: Portal) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            assert sent < 1_000, "read on and on"
            yield b" " * 65_536

    headers = {**desk.headers("le"), "content-type": STRUCTURED}
    problem_of(await desk.http.post("/v1/events", content=endless(), headers=headers), 413)
    assert (sent - 1) * 65_536 <= MAX_EVENT_BYTES
    assert await desk.backbone.quarantine.waiting() == []


async def test_backfilled_history_is_folded_and_alerts_nobody(desk: Portal) -> None:
    form = write_structured(arrest())
    response = await desk.post("/v1/events?alerting=false", "le", form, STRUCTURED)
    assert response.status_code == 202
    page = await anext(aiter(desk.backbone.alerts.follow(0)))
    assert len(page) > 0
    assert not any(item.alerting for item in page)


async def test_history_that_could_not_be_read_alerts_nobody_once_it_is_repaired(desk: Portal) -> None:
    batch = orjson.dumps([{"id": "no event"}, "nor this"])
    whole = await desk.post("/v1/events?alerting=false", "le", b"{", STRUCTURED)
    parts = await desk.post("/v1/events?alerting=false", "le", batch, BATCH)
    held = [whole.json()["quarantine_id"], *(receipt["quarantine_id"] for receipt in parts.json()["receipts"])]
    for number, quarantine_id in enumerate(held, 1):
        repaired = orjson.dumps(write_structured(arrest(number)))
        receipt = await desk.backbone.quarantine.redrive(quarantine_id, body=repaired, by="0" * 16)
        assert receipt.status == "accepted"
        stored = await desk.backbone.writer.read(lambda tx, n=number: tx.events.find(event_id(n)))
        assert not stored.alerting


async def test_without_a_valid_key_nothing_is_read_and_nothing_is_said(desk: Portal) -> None:
    unknown = f"Bearer ccr_{'0' * 16}_{'0' * 64}"
    for authorization in (None, "", "Bearer", "Bearer ccr_0_0", "Basic bGU6bGU=", unknown, "Bearer " * 99):
        headers = {"content-type": STRUCTURED} | ({} if authorization is None else {"authorization": authorization})
        response = await desk.http.post("/v1/events", content=b"{}", headers=headers)
        problem = problem_of(response, 401)
        assert response.headers["www-authenticate"] == "Bearer"
        assert set(problem) == {"type", "title", "status", "detail"}
    assert await desk.backbone.quarantine.waiting() == []


async def test_a_revoked_key_is_refused_at_once(desk: Portal) -> None:
    await desk.accept(arrest())
    await desk.backbone.keys.revoke(desk.keys["le"].split("_")[1])
    problem_of(await desk.publish(arrest()), 401)


async def test_a_key_over_its_rate_is_told_when_to_come_back_and_others_go_on(tmp_path: Path) -> None:
    async with portal(tmp_path, rate=Rate(per_second=0.1, burst=3)) as desk:
        await desk.accept(an_event(1))
        response = await desk.publish_all(an_event(2), an_event(3), an_event(4))
        problem_of(response, 429)
        assert 1 <= int(response.headers["retry-after"]) <= 30
        assert len(await desk.backbone.log.read(0)) == 1
        assert (await desk.publish(an_event(5, "jail.booked"), "jail")).status_code == 202


async def test_every_refusal_keeps_planted_values_to_itself(desk: Portal) -> None:
    spoiled: list[dict[str, Any]] = []
    form = write_structured(arrest())
    for name in form:
        spoiled += [{**form, name: PLANTED}, {**form, name: {PLANTED: PLANTED}}, {**form, PLANTED.lower(): PLANTED}]
    for name in ("arrest_type", "dv", "parties", "references", PLANTED):
        spoiled.append({**form, "data": {**form["data"], name: PLANTED}})
        spoiled.append({**form, "data": {**form["data"], name: [{PLANTED: PLANTED}]}})
    for item in spoiled:
        response = await desk.post("/v1/events", "le", item, STRUCTURED)
        if response.status_code >= 400:
            problem_of(response, response.status_code)
    batch = await desk.publish_all(*spoiled)
    assert batch.status_code == 207
    assert PLANTED.lower() not in batch.text.lower()
    listed = await desk.get("/v1/quarantine", "le")
    assert PLANTED.lower() not in listed.text.lower()
