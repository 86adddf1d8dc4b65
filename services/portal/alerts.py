"""`GET /v1/alerts`: the alert stream, as Server-Sent Events.

Source: WHATWG HTML section 9.2, server-sent events; `Last-Event-ID` resumes after the alert it names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send

from services.alerts.filters import FilterRefused, Matches, parse, wanted
from services.alerts.frame import HEARTBEAT, Alert, comment
from services.alerts.receipts import Receipts
from services.alerts.stream import (
    CLOSING,
    HEARTBEAT_S,
    AlertHub,
    BeyondNewest,
    Subscription,
    TooManySubscribers,
)
from services.engine.ports import Observer
from services.portal.access import Call
from services.portal.problems import Problem

SEND_S = 30.0
"""A connection that takes nothing for so long is given up."""
RETRY = b"retry: 1000\n"
"""Tells a browser to reconnect after a second."""
MAX_SEQ_DIGITS = 18
MAX_FILTERS = 8
"""Most `filter` parameters of one subscription; all must match."""

_HEADERS: list[tuple[bytes, bytes]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def alert_routes(
    hub: AlertHub, receipts: Receipts, observer: Observer, *, heartbeat_s: float = HEARTBEAT_S, send_s: float = SEND_S
) -> list[HTTPRouteHandler]:
    """The route."""

    @get("/v1/alerts", include_in_schema=False)
    async def follow_alerts(request: Call) -> ASGIApp:
        """Follow link transitions, live."""
        wants = _wants(request)
        try:
            subscription = await hub.subscribe(request.auth.agency, wants, after=_after(request))
        except TooManySubscribers as error:
            raise Problem(503, "Too many subscribers", str(error), headers={"retry-after": "5"}) from error
        except BeyondNewest as error:
            raise Problem(409, "Cannot resume there", errors=[("after", str(error))]) from error
        return _stream(subscription, request.auth.agency, receipts, observer, heartbeat_s, send_s)

    return [follow_alerts]


def _stream(
    subscription: Subscription,
    agency: str,
    receipts: Receipts,
    observer: Observer,
    heartbeat_s: float,
    send_s: float,
) -> ASGIApp:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        async def write(data: bytes, *, more: bool = True) -> None:
            event: HTTPResponseBodyEvent = {"type": "http.response.body", "body": data, "more_body": more}
            async with asyncio.timeout(send_s):
                await send(event)

        async def deliver() -> None:
            start: HTTPResponseStartEvent = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
            await send(start)
            # Its place at once: a connection that breaks before the first alert is resumed without a gap.
            await write(RETRY + b"id: %d\n" % subscription.position + comment("following"))
            batches = subscription.batches(heartbeat_s)
            try:
                async for batch in batches:
                    await write(b"".join([item.frame for item in batch]) if batch else HEARTBEAT)
                    if batch:
                        receipts.sent(agency, batch)
                        _observe(observer, batch)
            finally:
                await batches.aclose()
            await write(comment(subscription.ended or CLOSING), more=False)

        delivery = asyncio.create_task(deliver(), name="alert stream")
        gone = asyncio.create_task(_disconnected(receive), name="alert stream disconnect")
        try:
            await asyncio.wait({delivery, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            delivery.cancel()
            gone.cancel()
            results = await asyncio.gather(delivery, gone, return_exceptions=True)
        if isinstance(results[0], Exception) and not isinstance(results[0], TimeoutError | OSError):
            raise results[0]

    return app


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _observe(observer: Observer, batch: Sequence[Alert]) -> None:
    now = monotonic()
    for item in batch:
        if item.committed_s is not None:
            observer.alerted(now - item.committed_s)


def _wants(call: Call) -> Callable[[Alert], bool]:
    query = call.query_params
    try:
        plain = wanted(
            agency=query.getall("agency", []),
            role=query.getall("role", []),
            urgency=query.getall("urgency", []),
            rule=query.getall("rule", []),
            kind=query.getall("kind", []),
        )
        expressions: list[Matches] = [parse(text) for text in _few(query.getall("filter", []))]
    except FilterRefused as error:
        raise Problem(400, "The filter cannot be used", errors=[(error.pointer, error.message)]) from error
    return lambda item: plain.takes(item.transition) and all(matches(item.event) for matches in expressions)


def _few(filters: list[str]) -> list[str]:
    if len(filters) > MAX_FILTERS:
        raise FilterRefused("filter", f"may be given at most {MAX_FILTERS} times; join them with all")
    return filters


def _after(call: Call) -> int | None:
    """Where to begin: `Last-Event-ID`, else `after`; None for only what comes now."""
    text = call.headers.get("last-event-id") or call.query_params.get("after") or "now"
    if text == "now":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_SEQ_DIGITS):
        raise Problem(
            400, "Cannot resume there", errors=[("after", "must be `now`, or the id of an alert as a whole number")]
        )
    return int(text)
