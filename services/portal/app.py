"""The portal as one ASGI application over a backbone, and its reading side alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ExceptionHandlersMap

from services.alerts.receipts import Receipts
from services.alerts.stream import HEARTBEAT_S, MAX_BUFFERED, AlertHub
from services.portal.access import guard
from services.portal.alerts import SEND_S, alert_routes
from services.portal.backbone import Backbone, Reading
from services.portal.cases import case_routes, opening_routes
from services.portal.events import Publishing, event_routes
from services.portal.front import Front
from services.portal.keys import key_routes
from services.portal.links import answer_routes, link_routes
from services.portal.live.page import live_routes
from services.portal.operations import operation_routes, watch_routes
from services.portal.policies import policy_routes
from services.portal.problems import HANDLERS, Problem, http_refusal
from services.portal.proposals import proposal_routes
from services.portal.quarantine import quarantine_routes
from services.portal.rate import Buckets, Rate
from services.portal.repair import repair_routes


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """How the alert stream is kept."""

    heartbeat_s: float = HEARTBEAT_S
    max_buffered: int = MAX_BUFFERED
    send_s: float = SEND_S


def create_app(backbone: Backbone, *, rate: Rate | None = None, stream: StreamSettings | None = None) -> Litestar:
    """The application. `rate` is per API key.

    `app.state.hub.close()` lets the subscribers go; `services.portal.server` does so before it stops listening.
    """
    buckets = Buckets(rate or Rate())
    publishing = Publishing(backbone, buckets)
    keyed = [
        *event_routes(publishing),
        *answer_routes(backbone),
        *opening_routes(backbone),
        *quarantine_routes(backbone),
        *proposal_routes(backbone),
        *key_routes(backbone),
        *repair_routes(backbone),
    ]
    app = _assembled(backbone, buckets, stream, keyed, [*operation_routes(backbone), *live_routes(backbone)])
    app.asgi_handler = Front(app.asgi_handler, backbone.keys, buckets, publishing)
    return app


def create_reading_app(reading: Reading, *, rate: Rate | None = None, stream: StreamSettings | None = None) -> Litestar:
    """Alerts, links and cases alone, for a process that accepts nothing; see `create_app`."""
    return _assembled(reading, Buckets(rate or Rate()), stream, [], watch_routes(reading), _READING_HANDLERS)


def _assembled(
    reading: Reading,
    buckets: Buckets,
    stream: StreamSettings | None,
    keyed: Sequence[HTTPRouteHandler],
    free: Sequence[HTTPRouteHandler],
    handlers: ExceptionHandlersMap = HANDLERS,
) -> Litestar:
    """`keyed`: further routes that need an API key; `free`: that need none."""
    kept = stream or StreamSettings()
    hub = AlertHub(reading.alerts, reading.policies, audience=reading.metrics, max_buffered=kept.max_buffered)
    receipts = Receipts(reading.publisher, reading.log, reading.clock)

    @asynccontextmanager
    async def alerting(_: Litestar) -> AsyncIterator[None]:
        await hub.start()
        receipts.start()
        try:
            yield
        finally:
            await hub.stop()
            await receipts.stop()

    known = Router(
        path="/",
        guards=[guard(reading.keys, buckets)],
        response_headers={"cache-control": "no-store"},
        route_handlers=[
            *alert_routes(hub, receipts, reading.metrics, heartbeat_s=kept.heartbeat_s, send_s=kept.send_s),
            *link_routes(reading),
            *case_routes(reading),
            *keyed,
        ],
    )
    return Litestar(
        route_handlers=[known, *policy_routes(reading), *free],
        exception_handlers=handlers,
        lifespan=[alerting],
        state=State({"hub": hub}),
        openapi_config=None,
        logging_config=None,  # Litestar's own would write payloads along with exceptions
    )


def _accepts_nothing(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Whoever sends something has taken the wrong address."""
    if request.method in ("GET", "HEAD"):
        return http_refusal(request, error)
    return Problem(
        405,
        "Here is only read",
        "Nothing was accepted. Events and answers to links are sent to the portal, which runs apart from this.",
        headers={"allow": "GET"},
    ).response()


_READING_HANDLERS: ExceptionHandlersMap = {
    **HANDLERS,
    NotFoundException: _accepts_nothing,
    MethodNotAllowedException: _accepts_nothing,
}
