"""For operators and machines: metrics, liveness, readiness, the OpenAPI document. No key needed: none of it is
about a case."""

from __future__ import annotations

from functools import cache

import orjson
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from services.portal.backbone import Backbone
from services.portal.forms import JSON
from services.portal.openapi import as_served, openapi_document


def operation_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/metrics")
    async def show_metrics() -> Response[bytes]:
        """What Prometheus scrapes."""
        body, media_type = await backbone.metrics.exposition()
        return Response(body, headers={"content-type": media_type})

    @get("/healthz")
    async def show_liveness() -> Response[bytes]:
        """This process answers."""
        return Response(b'{"status":"alive"}', media_type=JSON)

    @get("/readyz")
    async def show_readiness() -> Response[bytes]:
        """Whether events can be taken and deadlines fire, with reasons where not."""
        reasons = {part: why for part, why in (await backbone.health.reasons()).items() if why is not None}
        body = {"status": "not ready" if reasons else "ready", "reasons": reasons}
        return Response(orjson.dumps(body), status_code=503 if reasons else 200, media_type=JSON)

    @get("/openapi.json")
    async def show_openapi() -> Response[bytes]:
        """This API, described."""
        return Response(_openapi(), media_type=JSON)

    return [show_metrics, show_liveness, show_readiness, show_openapi]


@cache
def _openapi() -> bytes:
    return orjson.dumps(openapi_document(as_served))
