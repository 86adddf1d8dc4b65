"""A practitioner's answer to a protocol link, as the event that carries it.

Saying it twice is saying it once: the event's id is derived from link, agency and role, and the door takes a second
one for a duplicate, unless it says something new (`services.intake.restated`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from ccr_events.core.ids import answer_event_id
from ccr_events.core.model import Link
from ccr_events.core.rules import Policies
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

    Only the owing agency acknowledges and completes; only a role named in the written policy waives. Raises
    `AnswerRefused`.
    """
    if kind == "waived":
        _check_waiver(link, by.agency, role, policies)
    elif by.agency != link.agency:
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


def _check_waiver(link: Link, agency: str, role: str, policies: Policies) -> None:
    waivers = policies.edition(link.edition).rule(link.rule).waivers
    if (agency, role) in waivers:
        return
    may = ", ".join(f"{a} ({r})" for a, r in sorted(waivers)) or "nobody"
    raise AnswerRefused(f"{agency} cannot waive this link in that role; policy {link.rule} names: {may}")
