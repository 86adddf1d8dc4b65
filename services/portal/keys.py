"""`GET /v1/key`: whose key this is, and what time the backbone has."""

from __future__ import annotations

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from services.portal.access import Call
from services.portal.backbone import Backbone
from services.portal.forms import KeyForm, answer


def key_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The route."""

    @get("/v1/key")
    async def show_key(request: Call) -> Response[bytes]:
        """Whose key this is."""
        caller = request.auth
        return answer(KeyForm(agency=caller.agency, key_id=caller.key_id, now=backbone.clock.now()))

    return [show_key]
