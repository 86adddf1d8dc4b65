"""Protocol links: what is owed, and practitioners' answers to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter
from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import CompletionOutcome, WaiverReason
from ccr_events.codes.response import ReceiptStatus
from ccr_events.core.ids import answer_event_id
from ccr_events.core.model import Link
from ccr_events.envelope import Event
from ccr_events.payload import Code, ShortText
from services.alerts.audience import may_see_link
from services.engine.ports import AuthenticatedKey, Receipt, Submission
from services.portal.access import Call
from services.portal.backbone import Backbone
from services.portal.bodies import Body, parse
from services.portal.events import one_answer
from services.portal.forms import LinksForm, answer, link_form, rule_of
from services.portal.problems import Problem, not_found

MAX_LINKS = 1_000
"""Most links in one answer."""
SOURCE = "/ccr/portal"
"""CloudEvents `source` of answers given here."""
Limit = Annotated[int, Parameter(ge=1, le=MAX_LINKS)]


class AcknowledgeBody(Body):
    """It was received, or somebody on call was assigned; nothing about the victim."""

    role: Code
    status: ReceiptStatus | None = None


class CompleteBody(Body):
    """The act was done, and no other event tells so."""

    role: Code
    outcome: CompletionOutcome = CompletionOutcome.DONE
    note: ShortText | None = Field(default=None, repr=False)


class WaiveBody(Body):
    """The act need not be done, with the reason."""

    role: Code
    reason: WaiverReason
    policy_ref: Code | None = None
    note: ShortText | None = Field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer to one link, ready to be published."""

    kind: str
    link: Link
    caller: AuthenticatedKey
    body: AcknowledgeBody | CompleteBody | WaiveBody

    @property
    def event_id(self) -> str:
        return answer_event_id(self.kind, self.link.id, self.caller.agency, self.body.role)


def link_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes."""

    @get("/v1/links")
    async def list_links(
        request: Call, agency: str | None = None, case_id: str | None = None, open_only: bool = True, limit: Limit = 200
    ) -> Response[bytes]:
        """Links, most urgent first. `agency` is who owes the act; without it and a case, the caller's own."""
        caller = request.auth
        if agency is None and case_id is None and caller.agency != Agency.CCR:
            agency = caller.agency
        found = await backbone.links.links(agency=agency, case_id=case_id, open_only=open_only, limit=limit)
        visible = [link_form(link, backbone.policies) for link in found if may_see_link(caller.agency, link)]
        return answer(LinksForm(links=visible))

    @get("/v1/links/{link_id:str}")
    async def show_link(request: Call, link_id: str) -> Response[bytes]:
        """One link."""
        return answer(link_form(await _visible(request.auth, link_id), backbone.policies))

    @post("/v1/links/{link_id:str}/acknowledge", status_code=202)
    async def acknowledge_link(request: Call, link_id: str) -> Response[bytes]:
        """Say that it was received."""
        body = await parse(request, AcknowledgeBody)
        link = await _visible(request.auth, link_id)
        if request.auth.agency != link.agency:
            raise Problem(403, f"Only {link.agency}, which owes this act, can acknowledge it")
        return await _give(_Answer("acknowledged", link, request.auth, body))

    @post("/v1/links/{link_id:str}/complete", status_code=202)
    async def complete_link(request: Call, link_id: str) -> Response[bytes]:
        """Say that it was done."""
        body = await parse(request, CompleteBody)
        link = await _visible(request.auth, link_id)
        if request.auth.agency != link.agency:
            raise Problem(403, f"Only {link.agency}, which owes this act, can say that it is done")
        _check_completable(link)
        return await _give(_Answer("completed", link, request.auth, body))

    @post("/v1/links/{link_id:str}/waive", status_code=202)
    async def waive_link(request: Call, link_id: str) -> Response[bytes]:
        """Let it go, where the written policy allows this role to."""
        body = await parse(request, WaiveBody)
        link = await _visible(request.auth, link_id)
        _check_waiver(link, request.auth.agency, body.role)
        return await _give(_Answer("waived", link, request.auth, body))

    async def _visible(caller: AuthenticatedKey, link_id: str) -> Link:
        link = await backbone.links.link(link_id)
        if link is None or not may_see_link(caller.agency, link):
            raise not_found("link")
        return link

    def _check_completable(link: Link) -> None:
        rule = rule_of(link, backbone.policies)
        if rule is None:
            return
        satisfiers = [s.type for group in rule.satisfied_by for s in group]
        if "link.completed" not in satisfiers:
            raise Problem(
                409,
                "This link is not satisfied by saying so",
                f"It is satisfied by the event itself: {', '.join(dict.fromkeys(satisfiers))}.",
            )

    def _check_waiver(link: Link, agency: str, role: str) -> None:
        rule = rule_of(link, backbone.policies)
        if rule is None or (agency, role) not in rule.waivers:
            may = "; ".join(f"{a}: {r}" for a, r in sorted(rule.waivers)) if rule else ""
            raise Problem(
                403,
                "This agency and role may not waive this link",
                f"The written policy allows it to {may}." if may else "The written policy allows it to nobody.",
            )

    async def _give(given: _Answer) -> Response[bytes]:
        """Publish; the same answer again is a duplicate, and the first one stands."""
        again = Receipt(given.event_id, "duplicate", case_id=given.link.case_id, title="Already answered")
        if given.event_id in await backbone.log.known([given.event_id]):
            return one_answer(again)
        if given.link.state.ended:
            raise Problem(409, f"This link has ended: {given.link.state.value}", "There is nothing left to answer.")
        event = Event(
            id=given.event_id,
            source=SOURCE,
            type=f"link.{given.kind}",
            occurred_at=backbone.clock.now(),
            data={"link_id": given.link.id, **given.body.model_dump(mode="json", exclude_none=True)},
            case_id=given.link.case_id,
        )
        submission = Submission(event, given.caller.agency, given.caller.key_id)
        (receipt,) = await backbone.publisher.submit([submission])
        return one_answer(again if receipt.status == "conflict" else receipt)

    return [list_links, show_link, acknowledge_link, complete_link, waive_link]
