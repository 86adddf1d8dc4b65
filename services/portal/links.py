"""Protocol links: what is owed, and practitioners' answers to it."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, QueryParameter
from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import CompletionOutcome, WaiverReason
from ccr_events.codes.response import ReceiptStatus
from ccr_events.core.model import Link
from ccr_events.payload import RoleName, ShortText
from ccr_events.types.backbone import PolicyRef
from services.alerts.audience import may_see_link
from services.engine.ports import AuthenticatedKey
from services.intake.answers import AnswerKind, AnswerRefused, is_named_to_answer
from services.intake.answers import answer as answer_of
from services.portal.access import Call
from services.portal.backbone import Backbone, PolicyBook, Reading
from services.portal.bodies import Body, parse
from services.portal.events import one_answer
from services.portal.forms import LinksForm, answer, link_form, rule_of
from services.portal.problems import Problem, not_found

MAX_LINKS = 1_000
"""Most links in one answer."""
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LINKS)]


class AcknowledgeBody(Body):
    """It was received, or somebody on call was assigned; nothing about the victim."""

    role: RoleName
    status: ReceiptStatus | None = None


class CompleteBody(Body):
    """The act was done, and no other event tells so."""

    role: RoleName
    outcome: CompletionOutcome = CompletionOutcome.DONE
    note: ShortText | None = Field(default=None, repr=False)


class WaiveBody(Body):
    """The act need not be done, with the reason."""

    role: RoleName
    reason: WaiverReason
    policy_ref: PolicyRef | None = None
    note: ShortText | None = Field(default=None, repr=False)


_BY_OTHERS: tuple[AnswerKind, ...] = ("acknowledged", "completed")
AnyBody = AcknowledgeBody | CompleteBody | WaiveBody


def link_routes(reading: Reading) -> list[HTTPRouteHandler]:
    """The routes that show links."""

    @get("/v1/links")
    async def list_links(
        request: Call,
        agency: FromQuery[str | None] = None,
        case_id: FromQuery[str | None] = None,
        open_only: FromQuery[bool] = True,
        limit: Limit = 200,
    ) -> Response[bytes]:
        """Links, most urgent first. `agency` is who owes the act; without it and a case, the caller's own."""
        caller = request.auth
        if agency is None and case_id is None and caller.agency != Agency.CCR:
            agency = caller.agency
        own = caller.agency in (Agency.CCR, agency)
        found = await reading.links.links(
            agency=agency, case_id=case_id, open_only=open_only, limit=limit if own else MAX_LINKS
        )
        visible = [link for link in found if _may_see(caller.agency, link, reading.policies)]
        return answer(LinksForm(links=[link_form(link, reading.policies) for link in visible[:limit]]))

    @get("/v1/links/{link_id:str}")
    async def show_link(request: Call, link_id: FromPath[str]) -> Response[bytes]:
        """One link."""
        return answer(link_form(await _visible(reading, request.auth, link_id), reading.policies))

    return [list_links, show_link]


def answer_routes(backbone: Backbone) -> list[HTTPRouteHandler]:
    """The routes by which practitioners answer links."""

    @post("/v1/links/{link_id:str}/acknowledge", status_code=202)
    async def acknowledge_link(request: Call, link_id: FromPath[str]) -> Response[bytes]:
        """Say that it was received."""
        body = await parse(request, AcknowledgeBody)
        return await _give("acknowledged", request.auth, await _visible(backbone, request.auth, link_id), body)

    @post("/v1/links/{link_id:str}/complete", status_code=202)
    async def complete_link(request: Call, link_id: FromPath[str]) -> Response[bytes]:
        """Say that it was done."""
        body = await parse(request, CompleteBody)
        link = await _visible(backbone, request.auth, link_id)
        _check_completable(link)
        return await _give("completed", request.auth, link, body)

    @post("/v1/links/{link_id:str}/waive", status_code=202)
    async def waive_link(request: Call, link_id: FromPath[str]) -> Response[bytes]:
        """Let it go, where the written policy allows this role to."""
        body = await parse(request, WaiveBody)
        return await _give("waived", request.auth, await _visible(backbone, request.auth, link_id), body)

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

    async def _give(kind: AnswerKind, caller: AuthenticatedKey, link: Link, body: AnyBody) -> Response[bytes]:
        """Publish; the same answer again is a duplicate, and the first one stands."""
        fields = body.model_dump(mode="json", exclude_none=True, exclude={"role"})
        at, policies = backbone.clock.now(), backbone.policies
        try:
            given = answer_of(kind, link, role=body.role, by=caller, at=at, policies=policies, fields=fields)
        except AnswerRefused as error:
            status, title = (409, "This link has ended") if link.state.ended else (403, "Not for this agency and role")
            raise Problem(status, title, str(error)) from error
        (receipt,) = await backbone.publisher.submit([given])
        return one_answer(receipt)

    return [acknowledge_link, complete_link, waive_link]


async def _visible(reading: Reading, caller: AuthenticatedKey, link_id: str) -> Link:
    link = await reading.links.link(link_id)
    if link is None or not _may_see(caller.agency, link, reading.policies):
        raise not_found("link")
    return link


def _may_see(agency: str, link: Link, policies: PolicyBook) -> bool:
    """Also who is named to answer it: otherwise they could not."""
    return may_see_link(agency, link) or any(is_named_to_answer(kind, link, agency, policies) for kind in _BY_OTHERS)
