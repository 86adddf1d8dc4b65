"""Repair of cases, for the tracking entity: what is derived from the log is written anew from it."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from pydantic import Field, StringConstraints

from services.casebook.refold import MAX_CASES
from services.portal.access import Call, only_tracking_entity
from services.portal.backbone import Backbone
from services.portal.bodies import Body, parse
from services.portal.forms import RefoldForm, answer

CaseId = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class RefoldBody(Body):
    """Which cases to write anew."""

    case_ids: Annotated[tuple[CaseId, ...], Field(max_length=MAX_CASES)]
    strays: bool = False
    """Also take away what is filed under no case."""


def repair_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes."""

    @post("/v1/operations/refold", status_code=200)
    async def refold_cases(request: Call) -> Response[bytes]:
        """Write cases anew from the log: facts, links, deadlines. Nobody is alerted; it is on the audit log."""
        only_tracking_entity(request.auth, "repairs cases")
        body = await parse(request, RefoldBody)
        await backbone.refold(body.case_ids, by=request.auth.key_id, strays=body.strays)
        return answer(RefoldForm(cases=len(body.case_ids)))

    return [refold_cases]
