"""The way past the framework answers exactly what the route behind it answers, and takes in exactly the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from ccr_events.envelope import BATCH, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, STRUCTURED, Event, write_structured
from services.engine.transaction import EngineClosed, StorageFailed
from services.portal.front import Front
from services.portal.rate import Rate
from services.sealing.keys import KeyStoreError
from services.sealing.master_key import ENVIRONMENT
from tests.support.doors import an_event
from tests.support.portals import PLANTED, Portal, arrest, portal

Sent = tuple[str, bytes, dict[str, str]]
"""(path with its query, body, headers)."""


def one(event: Event, path: str = "/v1/events", **headers: str) -> Sent:
    return path, orjson.dumps(write_structured(event)), {"content-type": STRUCTURED, **headers}


def batch(*items: object, path: str = "/v1/events") -> Sent:
    forms = [write_structured(item) if isinstance(item, Event) else item for item in items]
    return path, orjson.dumps(forms), {"content-type": BATCH}


def binary(event: Event) -> Sent:
    form = write_structured(event)
    named = {f"ce-{name}": str(value) for name, value in form.items() if name not in ("data", "datacontenttype")}
    return "/v1/events", orjson.dumps(form["data"]), {"content-type": "application/json", **named}


REQUESTS: Mapping[str, Sent] = {
    "accepted": one(arrest()),
    "duplicate": one(arrest(), traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01"),
    "conflict": one(arrest(minutes=1)),
    "forbidden": one(an_event(2, "plea.entered")),
    "invalid": one(arrest(3, arrest_type=PLANTED)),
    "unknown type": one(an_event(4, "arrest.mad")),
    "binary": binary(arrest(5)),
    "batch": batch(arrest(6), arrest(7)),
    "batch in part": batch(arrest(8), {"id": PLANTED}, arrest(6), arrest(9, arrest_type="x")),
    "empty batch": batch(),
    "too many": batch(*range(MAX_BATCH_EVENTS + 1)),
    "history": one(arrest(10), "/v1/events?alerting=false"),
    "another query": one(arrest(11), "/v1/events?alerting=%66alse&alerting=true&x"),
    "unreadable history": ("/v1/events?alerting=false", b"{", {"content-type": STRUCTURED}),
    "no json": ("/v1/events", PLANTED.encode(), {"content-type": STRUCTURED}),
    "empty": ("/v1/events", b"", {"content-type": STRUCTURED}),
    "no media type": ("/v1/events", b"{}", {}),
    "another media type": ("/v1/events", b"{}", {"content-type": "application/cloudevents+avro"}),
    "charset": ("/v1/events", b"{}", {"content-type": f"{STRUCTURED}; charset=latin-1"}),
    "announced too large": (
        "/v1/events",
        b"{}",
        {"content-type": STRUCTURED, "content-length": str(MAX_EVENT_BYTES + 1)},
    ),
    "a length that is none": ("/v1/events", b"{}", {"content-type": STRUCTURED, "content-length": "no number"}),
    "no key": one(arrest(12), authorization=""),
    "another scheme": one(arrest(12), authorization="Basic abc"),
    "a key that is none": one(arrest(12), authorization=f"Bearer ccr_{'0' * 16}_{'0' * 64}"),
    "a slash more": one(arrest(13), "/v1/events/"),
}


@pytest.fixture
async def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Portal, Portal]]:
    """Two backbones under one master key; the second without the way past the framework."""
    monkeypatch.setenv(ENVIRONMENT, b64encode(bytes(range(32))).decode())
    async with portal(tmp_path / "one") as fronted, portal(tmp_path / "other") as routed:
        _take_away(routed)
        yield fronted, routed


def _take_away(desk: Portal) -> None:
    front = desk.app.asgi_handler
    assert isinstance(front, Front)
    desk.app.asgi_handler = front._app


async def _send(desk: Portal, sent: Sent, agency: str = "le") -> httpx.Response:
    path, body, headers = sent
    return await desk.http.post(path, content=body, headers={**desk.headers(agency), **headers})


def _said(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    return response.status_code, dict(response.headers), response.content


async def test_every_request_is_answered_as_the_route_answers_it(both: tuple[Portal, Portal]) -> None:
    answers = set()
    for name, sent in REQUESTS.items():
        fronted, routed = [await _send(desk, sent) for desk in both]
        assert _said(fronted) == _said(routed), name
        answers.add(fronted.status_code)
    assert answers == {200, 202, 207, 400, 401, 403, 409, 413, 415, 422}
    logs = [await desk.backbone.log.read(0) for desk in both]
    assert [r.event_id for r in logs[0]] == [r.event_id for r in logs[1]]
    held = [await desk.backbone.quarantine.waiting() for desk in both]
    assert held[0] == held[1]


async def test_a_body_of_unannounced_length_is_given_up_at_the_limit(both: tuple[Portal, Portal]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_EVENT_BYTES // 500_000 + 1):
            yield b" " * 500_000

    headers = {"content-type": STRUCTURED}
    answers = [
        await desk.http.post("/v1/events", content=pieces(), headers={**desk.headers("le"), **headers}) for desk in both
    ]
    assert _said(answers[0]) == _said(answers[1])
    assert answers[0].status_code == 413


async def test_a_header_given_twice_is_left_to_the_route(both: tuple[Portal, Portal]) -> None:
    path, body, _ = one(arrest())
    for first, second in ((STRUCTURED, BATCH), (BATCH, STRUCTURED)):
        answers = [
            await desk.http.post(
                path,
                content=body,
                headers=[*desk.headers("le").items(), ("content-type", first), ("content-type", second)],
            )
            for desk in both
        ]
        assert _said(answers[0]) == _said(answers[1])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EngineClosed("closed"), 503),
        (StorageFailed("the disk is full"), 503),
        (KeyStoreError("the key store is gone"), 503),
        (ZeroDivisionError(PLANTED), 500),
    ],
)
async def test_what_fails_behind_it_is_answered_as_the_route_answers_it(
    both: tuple[Portal, Portal], monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    async def fails(*_: Any) -> Any:
        raise error

    for desk in both:
        monkeypatch.setattr(type(desk.backbone.publisher), "submit", fails)
    fronted, routed = [await _send(desk, one(arrest())) for desk in both]
    assert _said(fronted) == _said(routed)
    assert fronted.status_code == status
    assert PLANTED not in fronted.text


async def test_the_rate_is_one_for_both_ways(tmp_path: Path) -> None:
    async with portal(tmp_path, rate=Rate(per_second=0.001, burst=4)) as desk:
        assert (await _send(desk, one(arrest(1)))).status_code == 202
        assert (await _send(desk, one(arrest(2), "/v1/events/"))).status_code == 202
        fronted = await _send(desk, batch(arrest(3), arrest(4), arrest(5)))
        assert (fronted.status_code, "retry-after" in fronted.headers) == (429, True)
        await _send(desk, one(arrest(6)))
        fronted = await _send(desk, one(arrest(7)))
        _take_away(desk)
        routed = await _send(desk, one(arrest(7)))
        assert fronted.status_code == 429
        assert _said(fronted) == _said(routed)


async def test_a_body_that_breaks_off_is_not_taken_in(both: tuple[Portal, Portal]) -> None:
    path, body, headers = one(arrest())
    for desk in both:
        heard: list[Any] = []
        messages = iter([{"type": "http.request", "body": body[:20], "more_body": True}, {"type": "http.disconnect"}])

        async def receive(messages: Any = messages) -> Any:
            return next(messages)

        async def send(message: Any, heard: list[Any] = heard) -> None:
            heard.append(message)

        given = {**desk.headers("le"), **headers}
        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await desk.app(scope, receive, send)
        assert heard[0]["status"] == 400
        assert await desk.backbone.log.read(0) == []
