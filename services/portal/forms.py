"""What the portal answers, as models: the OpenAPI document is made from them. None holds a sealed field in clear,
but `OpenedForm`, which is the answer to an authorized, audited read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from litestar import Response
from pydantic import BaseModel, ConfigDict

from ccr_events.core.model import Link
from ccr_events.core.rules import Policies, Rule
from services.engine.ports import QuarantinedEvent
from services.engine.transaction import MergeProposal

JSON = "application/json"


class Form(BaseModel):
    """Base of the answers."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ErrorForm(Form):
    """What is wrong with one field."""

    pointer: str
    """JSON pointer into the event or body, or name of the parameter."""
    message: str
    """The rule it breaks; never the submitted value."""


class ProblemForm(Form):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: Sequence[ErrorForm] | None = None
    event_id: str | None = None
    quarantine_id: str | None = None
    """Where the refused event is kept until it is repaired."""
    outcome: str | None = None


class ReceiptForm(Form):
    """What became of one event."""

    event_id: str
    status: Literal["accepted", "duplicate", "quarantined", "conflict", "forbidden"]
    case_id: str | None = None
    position: int | None = None
    """Log position."""
    quarantine_id: str | None = None
    title: str | None = None
    errors: Sequence[ErrorForm] | None = None


class ReceiptsForm(Form):
    """What became of a batch, in its order."""

    receipts: Sequence[ReceiptForm]


class KeyForm(Form):
    """Whose API key a request carries."""

    agency: str
    key_id: str
    now: datetime
    """The backbone's clock: the wall's, but in a demonstration."""


class StepForm(Form):
    """One instant at which silence has a consequence; 0 is the due time."""

    number: int
    at: datetime
    agency: str
    role: str
    reached: bool


class ReferenceForm(Form):
    """An agency's own number."""

    kind: str
    number: str


class LinkForm(Form):
    """One protocol link: who owes what by when."""

    id: str
    case_id: str
    rule: str
    rule_title: str
    action: str
    """What must be done, in the words of the written policy."""
    edition: str
    trigger_id: str
    agency: str
    role: str
    urgency: str
    state: str
    overdue: bool
    escalated_to: int
    opened_at: datetime
    due_at: datetime | None = None
    lag_s: int
    notified_at: datetime | None = None
    acknowledged_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    steps: Sequence[StepForm]
    references: Sequence[ReferenceForm]


class LinksForm(Form):
    """Links, most urgent first."""

    links: Sequence[LinkForm]


class EntryForm(Form):
    """One event of a case: its open skeleton."""

    position: int
    id: str
    type: str
    agency: str
    occurred_at: datetime
    recorded_at: datetime
    policyversion: str
    corrects: str | None = None
    data: Mapping[str, Any]
    sealed: Sequence[str]
    """Labels under which it holds sealed fields; see `POST /v1/events/{event_id}/open`."""


class CaseForm(Form):
    """A case: what happened, oldest first, and what is owed."""

    case_id: str
    timeline: Sequence[EntryForm]
    links: Sequence[LinkForm]


class OpenedForm(Form):
    """Sealed fields of one event that this agency may read."""

    event_id: str
    fields: Mapping[str, Mapping[str, Any]]
    """Label → JSON pointer into `data` → value."""
    denied: Mapping[str, str]
    """Label → why it was not opened."""


class QuarantineForm(Form):
    """One refused event; its content is opened only for repair."""

    id: str
    received_at: datetime
    agency: str
    type: str
    title: str
    errors: Sequence[ErrorForm]
    state: str


class QuarantineListForm(Form):
    """Refused events that wait for repair, oldest first."""

    quarantined: Sequence[QuarantineForm]


class ProposalForm(Form):
    """Two cases that may be one; only a person decides."""

    id: str
    case_id: str
    other_case_id: str
    cause: str
    event_id: str
    score: int
    proposed_at: datetime
    state: str


class ProposalsForm(Form):
    """Merge proposals that wait, oldest first."""

    proposals: Sequence[ProposalForm]


class DecisionForm(Form):
    """What was decided of a proposal or a quarantined event."""

    id: str
    state: str


class PolicyForm(Form):
    """One version of one written policy, in short."""

    policy: str
    version: str
    effective: str
    agency: str
    title: str


class PoliciesForm(Form):
    """Every written policy, every version."""

    policies: Sequence[PolicyForm]


class RefoldForm(Form):
    """How many cases were written anew from the log."""

    cases: int


def answer(form: Form, status: int = 200) -> Response[bytes]:
    """A form as a JSON response; absent members are left out."""
    return Response(form.model_dump_json(exclude_none=True).encode(), status_code=status, media_type=JSON)


def rule_of(link: Link, policies: Policies) -> Rule | None:
    """The rule a link was opened under; None when its policy is missing."""
    try:
        return policies.edition(link.edition).rule(link.rule)
    except LookupError:
        return None


def link_form(link: Link, policies: Policies) -> LinkForm:
    """A link, with the words of its rule."""
    rule = rule_of(link, policies)
    return LinkForm(
        id=link.id,
        case_id=link.case_id,
        rule=link.rule,
        rule_title=link.rule if rule is None else rule.title,
        action="" if rule is None else rule.action,
        edition=link.edition,
        trigger_id=link.trigger_id,
        agency=link.agency,
        role=link.role,
        urgency=link.urgency,
        state=link.state.value,
        overdue=link.overdue,
        escalated_to=link.escalated_to,
        opened_at=link.opened_at,
        due_at=link.due_at,
        lag_s=link.lag_s,
        notified_at=link.notified_at,
        acknowledged_at=link.acknowledged_at,
        ended_at=link.ended_at,
        ended_by=link.ended_by,
        steps=[StepForm(number=s.number, at=s.at, agency=s.agency, role=s.role, reached=s.reached) for s in link.steps],
        references=[ReferenceForm(kind=kind, number=number) for kind, number in link.references],
    )


def quarantine_form(entry: QuarantinedEvent) -> QuarantineForm:
    """A quarantined event."""
    return QuarantineForm(
        id=entry.id,
        received_at=entry.received_at,
        agency=entry.agency,
        type=entry.type,
        title=entry.title,
        errors=[ErrorForm(pointer=p.pointer, message=p.message) for p in entry.problems],
        state=entry.state,
    )


def proposal_form(proposal: MergeProposal) -> ProposalForm:
    """A merge proposal."""
    return ProposalForm(
        id=proposal.id,
        case_id=proposal.case_id,
        other_case_id=proposal.other_case_id,
        cause=proposal.cause,
        event_id=proposal.event_id,
        score=proposal.score,
        proposed_at=proposal.proposed_at,
        state=proposal.state,
    )
