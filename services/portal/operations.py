"""For operators and machines: metrics, liveness, readiness, the OpenAPI document. No key needed: none of it is
about a case."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import orjson
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from services.portal.backbone import Health, Metrics
from services.portal.forms import JSON
from services.portal.openapi import as_served, openapi_document
from services.portal.problems import HANDLERS


class Watched(Protocol):
    """What is asked of whatever is watched."""

    @property
    def metrics(self) -> Metrics:
        """What operators count."""

    @property
    def health(self) -> Health:
        """Readiness."""


def create_watch_app(watched: Watched) -> Litestar:
    """An application for a worker that has no other: its metrics, and how it is."""
    return Litestar(
        route_handlers=watch_routes(watched),
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,  # Litestar's own would write payloads along with exceptions
    )


def operation_routes(watched: Watched) -> list[HTTPRouteHandler]:
    """The routes of the portal."""

    @get("/openapi.json")
    async def show_openapi() -> Response[bytes]:
        """This API, described."""
        return Response(_openapi(), media_type=JSON)

    return [*watch_routes(watched), show_openapi]


def watch_routes(watched: Watched) -> list[HTTPRouteHandler]:
    """Those of every worker."""

    @get("/metrics")
    async def show_metrics() -> Response[bytes]:
        """What Prometheus scrapes."""
        body, media_type = await watched.metrics.exposition()
        return Response(body, headers={"content-type": media_type})

    @get("/healthz")
    async def show_liveness() -> Response[bytes]:
        """This process answers."""
        return Response(b'{"status":"alive"}', media_type=JSON)

    @get("/readyz")
    async def show_readiness() -> Response[bytes]:
        """Whether events can be taken and deadlines fire, with reasons where not."""
        reasons = {part: why for part, why in (await watched.health.reasons()).items() if why is not None}
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return Response(orjson.dumps(body), status_code=503 if reasons else 200, media_type=JSON)

    return [show_metrics, show_liveness, show_readiness]


@cache
def _openapi() -> bytes:
    return orjson.dumps(openapi_document(as_served))
