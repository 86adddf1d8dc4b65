"""A practitioner's answer to a protocol link, as the event that carries it.

Saying it twice is saying it once: the event's id is derived from link, agency and role, and the door takes a second
one for a duplicate, unless it says something new (`services.intake.restated`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from ccr_events.agencies import Agency
from ccr_events.codes.response import ReceiptStatus
from ccr_events.core.ids import answer_event_id
from ccr_events.core.model import Fact, Link
from ccr_events.core.rules import Condition, Policies
from ccr_events.envelope import Event
from services.engine.ports import AuthenticatedKey, Submission
from services.intake.restated import with_status_id

AnswerKind = Literal["acknowledged", "completed", "waived"]
SOURCE = "/ccr/answers"
_SAID = {"acknowledged": "acknowledge", "completed": "complete", "waived": "waive"}


class AnswerRefused(PermissionError):
    """This agency or role may not give this answer to this link, or there is nothing to answer any more."""


def answer(
    kind: AnswerKind,
    link: Link,
    *,
    role: str,
    by: AuthenticatedKey,
    at: datetime,
    policies: Policies,
    fields: Mapping[str, Any] | None = None,
) -> Submission:
    """The `link.<kind>` event of an agency in a role. `fields`: the rest of its payload (`status`, `note`, `reason` …).

    Only the owing agency acknowledges and completes, or one whose answer the written policy names; only a role named
    there waives. Raises `AnswerRefused`.
    """
    if kind == "waived":
        _check_waiver(link, by.agency, role, policies)
    elif by.agency != link.agency and not is_named_to_answer(kind, link, by.agency, policies):
        raise AnswerRefused(f"{by.agency} cannot {_SAID[kind]} this link: {link.agency} owes it ({link.role})")
    event_id = answer_event_id(kind, link.id, by.agency, role)
    status = (fields or {}).get("status")
    same = (event_id,) if status is None else (event_id, with_status_id(event_id, status))
    if link.state.ended and link.ended_by not in same:
        raise AnswerRefused(f"this link is {link.state.value} already: there is nothing left to {_SAID[kind]}")
    event = Event(
        id=event_id,
        source=SOURCE,
        type=f"link.{kind}",
        occurred_at=at,
        data={**(fields or {}), "link_id": link.id, "role": role},
        case_id=link.case_id,
        causation_id=link.trigger_id,
    )
    return Submission(event, by.agency, by.key_id)


def is_named_to_answer(kind: AnswerKind, link: Link, agency: str, policies: Policies) -> bool:
    """Whether the written policy takes this agency's answer, by name, though another one owes the act: a report that
    police owe the prosecutor is delivered once the prosecutor acknowledges it. False where the policy is missing."""
    try:
        rule = policies.edition(link.edition).rule(link.rule)
    except LookupError:
        return False
    acts = (*(act for group in rule.satisfied_by for act in group), *rule.acknowledged_by)
    conditions = [act.when for act in acts if act.type == f"link.{kind}" and act.when is not None]
    return any(
        _holds(when, kind, link, agency, status) and not all(_holds(when, kind, link, a, status) for a in Agency)
        for when in conditions
        for status in (None, *ReceiptStatus)
    )


def _holds(when: Condition, kind: AnswerKind, link: Link, agency: str, status: str | None) -> bool:
    """Whether the condition would take the answer of an agency, all else left open."""
    fact = Fact(
        id=link.id,
        type=f"link.{kind}",
        agency=agency,
        case_id=link.case_id,
        occurred_at=link.opened_at,
        recorded_at=link.opened_at,
        edition=link.edition,
        data={"link_id": link.id} if status is None else {"link_id": link.id, "status": status},
    )
    return when(fact, _NoFacts())


class _NoFacts:
    """A case in which nothing has happened."""

    def of_type(self, name: str) -> Sequence[Fact]:
        return ()


def _check_waiver(link: Link, agency: str, role: str, policies: Policies) -> None:
    waivers = policies.edition(link.edition).rule(link.rule).waivers
    if (agency, role) in waivers:
        return
    may = ", ".join(f"{a} ({r})" for a, r in sorted(waivers)) or "nobody"
    raise AnswerRefused(f"{agency} cannot waive this link in that role; policy {link.rule} names: {may}")
