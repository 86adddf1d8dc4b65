"""What was refused and kept: looked through, opened for repair, submitted again or set aside."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, QueryParameter

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import ReadPurpose
from ccr_events.envelope import MAX_EVENT_BYTES
from services.engine.ports import AuthenticatedKey, QuarantinedEvent
from services.portal.access import Call
from services.portal.backbone import Backbone
from services.portal.bodies import Body, parse, read_body
from services.portal.events import one_answer
from services.portal.forms import DecisionForm, QuarantineListForm, answer, quarantine_form
from services.portal.problems import Problem, not_found

Limit = Annotated[int, QueryParameter(ge=1, le=1_000)]


class OpenForRepairBody(Body):
    """Why the submitted bytes are needed; written to the audit log."""

    purpose: ReadPurpose = ReadPurpose.REPAIR


def quarantine_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes. An agency sees what it submitted; the tracking entity sees that it waits, and all of it."""

    @get("/v1/quarantine")
    async def list_quarantine(request: Call, limit: Limit = 200) -> Response[bytes]:
        """Refused events that wait for repair, oldest first."""
        agency = request.auth.agency
        waiting = await backbone.quarantine.waiting(limit, agency=None if agency == Agency.CCR else agency)
        return answer(QuarantineListForm(quarantined=[quarantine_form(entry) for entry in waiting]))

    @post("/v1/quarantine/{quarantine_id:str}/open", status_code=200)
    async def open_quarantined(request: Call, quarantine_id: FromPath[str]) -> Response[bytes]:
        """The submitted bytes, for repair; the read is audited."""
        body = await parse(request, OpenForRepairBody)
        await _own(request.auth, quarantine_id)
        raw = await backbone.quarantine.open(quarantine_id, purpose=body.purpose.value, by=request.auth.key_id)
        return Response(raw, media_type="application/octet-stream")

    @post("/v1/quarantine/{quarantine_id:str}/redrive", status_code=202)
    async def redrive_quarantined(request: Call, quarantine_id: FromPath[str]) -> Response[bytes]:
        """Submit it again: as the body says, or as it was when there is no body."""
        body = await read_body(request, MAX_EVENT_BYTES)
        await _waiting(request.auth, quarantine_id)
        receipt = await backbone.quarantine.redrive(quarantine_id, body=body or None, by=request.auth.key_id)
        return one_answer(receipt)

    @post("/v1/quarantine/{quarantine_id:str}/discard", status_code=200)
    async def discard_quarantined(request: Call, quarantine_id: FromPath[str]) -> Response[bytes]:
        """Set it aside: it is kept, but no longer waits."""
        await _waiting(request.auth, quarantine_id)
        await backbone.quarantine.discard(quarantine_id, by=request.auth.key_id)
        return answer(DecisionForm(id=quarantine_id, state="discarded"))

    async def _own(caller: AuthenticatedKey, quarantine_id: str) -> QuarantinedEvent:
        entry = await backbone.quarantine.entry(quarantine_id)
        if entry is None or caller.agency not in (Agency.CCR, entry.agency):
            raise not_found("quarantined event")
        return entry

    async def _waiting(caller: AuthenticatedKey, quarantine_id: str) -> None:
        entry = await _own(caller, quarantine_id)
        if entry.state != "waiting":
            raise Problem(409, f"It is {entry.state} already", "Nothing was changed.")

    return [list_quarantine, open_quarantined, redrive_quarantined, discard_quarantined]
