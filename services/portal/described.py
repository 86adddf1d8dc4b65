"""Every operation of the portal, described once for the OpenAPI document. A test holds it to the routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from ccr_events.agencies import Agency
from ccr_events.core.model import TransitionKind
from services.portal import forms
from services.portal.bodies import Body
from services.portal.cases import OpenBody
from services.portal.links import MAX_LINKS, AcknowledgeBody, CompleteBody, WaiveBody
from services.portal.quarantine import OpenForRepairBody
from services.portal.repair import RefoldBody

_TEXT: Mapping[str, Any] = {"type": "string"}
_AGENCY: Mapping[str, Any] = {"type": "string", "enum": [agency.value for agency in Agency]}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation."""

    name: str
    description: str
    place: Literal["query", "path", "header"] = "query"
    schema: Mapping[str, Any] = field(default_factory=lambda: _TEXT)
    many: bool = False

    def described(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        schema = {"type": "array", "items": self.schema} if self.many else dict(self.schema)
        found = {"name": self.name, "in": self.place, "description": self.description, "schema": schema}
        return {**found, "required": True} if self.place == "path" else found


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    name: str
    method: Literal["get", "post"]
    path: str
    tag: str
    summary: str
    good: Mapping[int, str]
    answer: type[BaseModel] | None = None
    body: type[Body] | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: Mapping[int, str] = field(default_factory=dict)
    media: str = "application/json"
    keyed: bool = True
    takes: Literal["", "event", "events"] = ""
    """Whether the body may be an event, or an event or a batch of them."""


_OK = {200: "As asked."}
_FORM = {400: "A parameter or field is not as described; `errors` names it."}
_NONE = {404: "It does not exist, or is not visible to this agency."}
_ANSWERED = {202: "Durable.", 200: "The same answer was given before; the first one stands."}
_MAY_NOT = {403: "This agency or role may not give this answer.", 409: "The link has ended, or is ended otherwise."}
_RECEIVED = {202: "Accepted and durable.", 200: "A duplicate of an event that is on the log."}
_REFUSED = {
    403: "This agency may not publish this type.",
    409: "Another event has this id; publish a new one with `corrects`.",
    413: "Larger than what is taken.",
    422: "Kept in quarantine under `quarantine_id`; `errors` names the fields.",
    503: "Nothing was accepted; send it again after `Retry-After`.",
}
_LIMIT = Parameter("limit", "How many at most.", schema={"type": "integer", "minimum": 1, "maximum": MAX_LINKS})
_LINK_ID = Parameter("link_id", "Id of the link.", "path")
_QUARANTINE_ID = Parameter("quarantine_id", "Id of the quarantined event.", "path")
_PROPOSAL_ID = Parameter("proposal_id", "Id of the proposal.", "path")


def _answering(name: str, verb: str, summary: str, body: type[Body]) -> Operation:
    return Operation(
        name,
        "post",
        f"/v1/links/{{link_id}}/{verb}",
        "links",
        summary,
        _ANSWERED,
        forms.ReceiptForm,
        body,
        (_LINK_ID,),
        {**_FORM, **_NONE, **_MAY_NOT},
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "publish_events",
        "post",
        "/v1/events",
        "events",
        "Publish one event (CloudEvents structured or binary mode) or a batch of at most 1,000.",
        {**_RECEIVED, 207: "A batch of which not every event was accepted; each receipt says what became of it."},
        forms.ReceiptsForm,
        None,
        (
            Parameter(
                "alerting", "`false` for backfilled history: folded, but nobody is alerted.", schema={"type": "boolean"}
            ),
            Parameter("traceparent", "W3C trace context, carried on the event.", "header"),
        ),
        {**_REFUSED, 415: "Not a CloudEvents media type."},
        takes="events",
    ),
    Operation(
        "follow_alerts",
        "get",
        "/v1/alerts",
        "alerts",
        "Follow changes of protocol links as Server-Sent Events; each `data` is a CloudEvent `link.<kind>`.",
        {200: "The stream; it ends with a comment that says how to resume."},
        parameters=(
            Parameter("agency", "Addressed to or owed by these.", schema=_AGENCY, many=True),
            Parameter("role", "Addressed to or owed by these roles.", many=True),
            Parameter("urgency", "Of these urgencies.", many=True),
            Parameter("rule", "Of these rules of the written policies, such as L17.", many=True),
            Parameter(
                "kind",
                "Only these.",
                schema={"type": "string", "enum": [kind.value for kind in TransitionKind]},
                many=True,
            ),
            Parameter(
                "filter", "CloudEvents Subscriptions filter as JSON: exact, prefix, suffix, all, any, not.", many=True
            ),
            Parameter("after", "`now` (default), or the id of the alert to resume after; 0 is the beginning."),
            Parameter("Last-Event-ID", "Resume after this alert; goes before `after`.", "header"),
        ),
        problems={**_FORM, 409: "`after` is ahead of the newest alert.", 503: "Too many subscribers."},
        media="text/event-stream",
    ),
    Operation(
        "list_links",
        "get",
        "/v1/links",
        "links",
        "Links, most urgent first.",
        _OK,
        forms.LinksForm,
        parameters=(
            Parameter("agency", "Who owes the act; without it and a case, the caller's own.", schema=_AGENCY),
            Parameter("case_id", "Links of one case."),
            Parameter("open_only", "`false` for ended ones too.", schema={"type": "boolean", "default": True}),
            _LIMIT,
        ),
        problems=_FORM,
    ),
    Operation(
        "show_link",
        "get",
        "/v1/links/{link_id}",
        "links",
        "One link.",
        _OK,
        forms.LinkForm,
        parameters=(_LINK_ID,),
        problems=_NONE,
    ),
    _answering("acknowledge_link", "acknowledge", "Say that it was received.", AcknowledgeBody),
    _answering("complete_link", "complete", "Say that it was done, where no other event tells so.", CompleteBody),
    _answering("waive_link", "waive", "Let it go, where the written policy allows this role to.", WaiveBody),
    Operation(
        "show_case",
        "get",
        "/v1/cases/{case_id}",
        "cases",
        "Timeline of open skeletons, and links, of one case.",
        _OK,
        forms.CaseForm,
        parameters=(Parameter("case_id", "Id of the case.", "path"),),
        problems=_NONE,
    ),
    Operation(
        "open_event",
        "post",
        "/v1/events/{event_id}/open",
        "cases",
        "Read sealed fields of one event; audited, also when it is refused.",
        _OK,
        forms.OpenedForm,
        OpenBody,
        (Parameter("event_id", "Id of the event.", "path"),),
        {**_FORM, **_NONE, 410: "The key is destroyed."},
    ),
    Operation(
        "list_quarantine",
        "get",
        "/v1/quarantine",
        "quarantine",
        "Refused events that wait for repair, oldest first.",
        _OK,
        forms.QuarantineListForm,
        parameters=(_LIMIT,),
        problems=_FORM,
    ),
    Operation(
        "open_quarantined",
        "post",
        "/v1/quarantine/{quarantine_id}/open",
        "quarantine",
        "The submitted bytes, for repair; audited.",
        _OK,
        None,
        OpenForRepairBody,
        (_QUARANTINE_ID,),
        {**_FORM, **_NONE, 410: "The bytes were not kept."},
        "application/octet-stream",
    ),
    Operation(
        "redrive_quarantined",
        "post",
        "/v1/quarantine/{quarantine_id}/redrive",
        "quarantine",
        "Submit it again: as the body says, or as it was when there is no body.",
        _RECEIVED,
        forms.ReceiptForm,
        parameters=(_QUARANTINE_ID,),
        problems={**_NONE, **_REFUSED, 410: "The bytes were not kept; send the repaired event."},
        takes="event",
    ),
    Operation(
        "discard_quarantined",
        "post",
        "/v1/quarantine/{quarantine_id}/discard",
        "quarantine",
        "Set it aside; it is kept, but no longer waits.",
        _OK,
        forms.DecisionForm,
        parameters=(_QUARANTINE_ID,),
        problems={**_NONE, 409: "It no longer waits."},
    ),
    Operation(
        "list_proposals",
        "get",
        "/v1/proposals",
        "cases",
        "Proposals to merge cases (tracking entity only).",
        _OK,
        forms.ProposalsForm,
        parameters=(_LIMIT,),
        problems={**_FORM, 403: "Only the tracking entity."},
    ),
    Operation(
        "accept_proposal",
        "post",
        "/v1/proposals/{proposal_id}/accept",
        "cases",
        "The two cases are one.",
        _RECEIVED,
        forms.ReceiptForm,
        parameters=(_PROPOSAL_ID,),
        problems={403: "Only the tracking entity.", **_NONE},
    ),
    Operation(
        "reject_proposal",
        "post",
        "/v1/proposals/{proposal_id}/reject",
        "cases",
        "The two cases are not one.",
        _OK,
        forms.DecisionForm,
        parameters=(_PROPOSAL_ID,),
        problems={403: "Only the tracking entity.", **_NONE},
    ),
    Operation("show_key", "get", "/v1/key", "operation", "Whose API key this is.", _OK, forms.KeyForm),
    Operation(
        "list_policies",
        "get",
        "/v1/policies",
        "policies",
        "Every version of every written policy, in short.",
        _OK,
        forms.PoliciesForm,
        keyed=False,
    ),
    Operation(
        "show_policy",
        "get",
        "/v1/policies/{name}",
        "policies",
        "One written policy, whole.",
        _OK,
        parameters=(
            Parameter("name", "Name of the policy.", "path"),
            Parameter("version", "A version; the newest when left out."),
        ),
        problems=_NONE,
        keyed=False,
    ),
    Operation(
        "show_schema",
        "get",
        "/schemas/{name}",
        "policies",
        "JSON Schema of an event type's payload, or of the `envelope` or a `record`.",
        _OK,
        parameters=(Parameter("name", "Event type, `envelope` or `record`.", "path"),),
        problems=_NONE,
        media="application/schema+json",
        keyed=False,
    ),
    Operation(
        "refold_cases",
        "post",
        "/v1/operations/refold",
        "operation",
        "Write cases anew from the log: facts, links, deadlines. Nobody is alerted; on the audit log.",
        {200: "Every one of them is what the log says."},
        forms.RefoldForm,
        RefoldBody,
        problems={**_FORM, 403: "Only the tracking entity repairs cases.", 409: "The log cannot be folded."},
    ),
    Operation("show_openapi", "get", "/openapi.json", "operation", "This document.", _OK, keyed=False),
    Operation(
        "show_metrics", "get", "/metrics", "operation", "Prometheus metrics.", _OK, media="text/plain", keyed=False
    ),
    Operation("show_liveness", "get", "/healthz", "operation", "This process answers.", _OK, keyed=False),
    Operation(
        "show_readiness",
        "get",
        "/readyz",
        "operation",
        "Whether events can be taken and deadlines fire.",
        {200: "Ready.", 503: "Not ready; `reasons` says why."},
        keyed=False,
    ),
    Operation("show_page", "get", "/", "operation", "The live page.", _OK, media="text/html", keyed=False),
)
