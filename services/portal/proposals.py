"""Two cases that may be one: only a person of the tracking entity decides."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from services.portal.access import Call, only_tracking_entity
from services.portal.backbone import Backbone
from services.portal.events import one_answer
from services.portal.forms import DecisionForm, ProposalsForm, answer, proposal_form
from services.portal.problems import not_found

Limit = Annotated[int, QueryParameter(ge=1, le=1_000)]


def proposal_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/v1/proposals")
    async def list_proposals(request: Call, limit: Limit = 200) -> Response[bytes]:
        """Merge proposals that wait, oldest first."""
        only_tracking_entity(request.auth, "sees proposals to merge cases")
        waiting = await backbone.proposals.waiting(limit)
        return answer(ProposalsForm(proposals=[proposal_form(proposal) for proposal in waiting]))

    @post("/v1/proposals/{proposal_id:str}/accept", status_code=202)
    async def accept_proposal(request: Call, proposal_id: FromPath[str]) -> Response[bytes]:
        """The two cases are one."""
        only_tracking_entity(request.auth, "merges cases")
        receipt = await backbone.proposals.accept(proposal_id, by=request.auth)
        if receipt is None:
            raise not_found("waiting proposal")
        return one_answer(receipt)

    @post("/v1/proposals/{proposal_id:str}/reject", status_code=200)
    async def reject_proposal(request: Call, proposal_id: FromPath[str]) -> Response[bytes]:
        """The two cases are not one."""
        only_tracking_entity(request.auth, "decides on proposals to merge cases")
        if not await backbone.proposals.reject(proposal_id, by=request.auth):
            raise not_found("waiting proposal")
        return answer(DecisionForm(id=proposal_id, state="rejected"))

    return [list_proposals, accept_proposal, reject_proposal]
