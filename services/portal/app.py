"""The portal as one ASGI application over a backbone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.datastructures import State

from services.alerts.receipts import Receipts
from services.alerts.stream import HEARTBEAT_S, MAX_BUFFERED, AlertHub
from services.portal.access import guard
from services.portal.alerts import SEND_S, alert_routes
from services.portal.backbone import Backbone
from services.portal.cases import case_routes
from services.portal.events import Publishing, event_routes
from services.portal.front import Front
from services.portal.keys import key_routes
from services.portal.links import link_routes
from services.portal.live.page import live_routes
from services.portal.operations import operation_routes
from services.portal.policies import policy_routes
from services.portal.problems import HANDLERS
from services.portal.proposals import proposal_routes
from services.portal.quarantine import quarantine_routes
from services.portal.rate import Buckets, Rate
from services.portal.repair import repair_routes


def create_app(
    backbone: Backbone,
    *,
    rate: Rate | None = None,
    heartbeat_s: float = HEARTBEAT_S,
    max_buffered: int = MAX_BUFFERED,
    send_s: float = SEND_S,
) -> Litestar:
    """The application. `rate` is per API key; the other settings are of the alert stream.

    `app.state.hub.close()` lets the subscribers go; `services.portal.server` does so before it stops listening.
    """
    buckets = Buckets(rate or Rate())
    hub = AlertHub(backbone.alerts, backbone.policies, audience=backbone.metrics, max_buffered=max_buffered)
    receipts = Receipts(backbone.publisher, backbone.log, backbone.clock)

    @asynccontextmanager
    async def alerting(_: Litestar) -> AsyncIterator[None]:
        await hub.start()
        receipts.start()
        try:
            yield
        finally:
            await hub.stop()
            await receipts.stop()

    publishing = Publishing(backbone, buckets)
    keyed = Router(
        path="/",
        guards=[guard(backbone.keys, buckets)],
        response_headers={"cache-control": "no-store"},
        route_handlers=[
            *event_routes(publishing),
            *alert_routes(hub, receipts, backbone.metrics, heartbeat_s=heartbeat_s, send_s=send_s),
            *link_routes(backbone),
            *case_routes(backbone),
            *quarantine_routes(backbone),
            *proposal_routes(backbone),
            *key_routes(backbone),
            *repair_routes(backbone),
        ],
    )
    app = Litestar(
        route_handlers=[keyed, *policy_routes(backbone), *operation_routes(backbone), *live_routes(backbone)],
        exception_handlers=HANDLERS,
        lifespan=[alerting],
        state=State({"hub": hub}),
        openapi_config=None,
        logging_config=None,  # Litestar's own would write payloads along with exceptions
    )
    app.asgi_handler = Front(app.asgi_handler, backbone.keys, buckets, publishing)
    return app
