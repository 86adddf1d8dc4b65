"""Second stage: does the event fit its type, and its envelope the contract. No I/O."""

from __future__ import annotations

from datetime import datetime, timedelta

from ccr_events.core import ids
from ccr_events.core.corrections import RETRACTED
from ccr_events.core.derive import ACKNOWLEDGED, COMPLETED, NOTIFIED, WAIVED
from ccr_events.envelope import Event
from ccr_events.payload import Payload
from ccr_events.placeholders import is_placeholder
from ccr_events.registry import EventType
from ccr_events.skeleton import Skeleton
from ccr_events.validation import InvalidPayload, validate_as
from services.engine.ports import FieldProblem, Submission
from services.intake.allowed import BACKBONE_KEYS
from services.intake.stages import Refused

ANSWERS = {ACKNOWLEDGED: "acknowledged", COMPLETED: "completed", WAIVED: "waived"}
"""Event type → kind of answer, as `ids.answer_event_id` names it."""


MAX_AHEAD = timedelta(minutes=10)
"""How far an agency's clock may be ahead of ours. A fact further in the future is a wrong offset or a typing error, and
would put off every deadline that is counted from it."""


def validated(submission: Submission, event_type: EventType, now: datetime) -> Payload | Refused:
    """The payload at its type's current version, or what is wrong with it; `now` by the backbone's clock."""
    event = submission.event
    try:
        payload = validate_as(event_type, event.schema_version, event.data)
    except InvalidPayload as error:
        problems = tuple(FieldProblem(pointer, message) for pointer, message in error.problems)
        return Refused(submission, "quarantined", f"does not fit the schema of {event_type.name}", problems)
    problems = (*_envelope_problems(event, now), *_reference_problems(payload), *_party_problems(payload))
    if problems:
        return Refused(submission, "quarantined", "breaks a rule of the contract", problems)
    return payload


def _envelope_problems(event: Event, now: datetime) -> list[FieldProblem]:
    if event.occurred_at > now + MAX_AHEAD:
        return [FieldProblem("/time", "is in the future: it says when the act happened; check its offset from UTC")]
    if event.corrects == event.id:
        return [FieldProblem("/corrects", "names the event itself; a correction is an event with an id of its own")]
    if event.type == RETRACTED and event.corrects is None:
        return [FieldProblem("/corrects", "is required: the id of the event that is withdrawn")]
    return []


def _reference_problems(payload: Payload) -> list[FieldProblem]:
    """A number that many files share would put strangers into one case."""
    return [
        FieldProblem(f"/data/references/{i}/number", "holds a placeholder; give the number, or leave the reference out")
        for i, reference in enumerate(payload.references)
        if is_placeholder(reference.number)
    ]


def _party_problems(payload: Payload) -> list[FieldProblem]:
    return [
        FieldProblem(f"/data/parties/{i}/token", "is given by the backbone; leave it out")
        for i, party in enumerate(payload.parties)
        if party.token is not None
    ]


def reserved(submission: Submission, *, said_once: bool) -> Refused | None:
    """Why the event may not have its id; None when it may."""
    if said_once or not ids.is_reserved(submission.event.id) or submission.key_id.startswith(BACKBONE_KEYS):
        return None
    message = (
        "is of UUID version 8, kept for the backbone's own events and for answers to links, whose id is derived from "
        "link, agency and role; use version 7"
    )
    return Refused(
        submission, "quarantined", "has an id that is kept for another event", (FieldProblem("/id", message),)
    )


def is_said_once(event: Event, agency: str, skeleton: Skeleton) -> bool:
    """Whether the event's id is derived from an answer to a link, or from the delivery of an alert, so that a second
    one is the same answer, or the same delivery."""
    data = skeleton.open
    if event.type == NOTIFIED:
        return event.id == ids.notified_event_id(data["link_id"], data["agency"], data["step"])
    kind = ANSWERS.get(event.type)
    if kind is None:
        return False
    return event.id == ids.answer_event_id(kind, data["link_id"], agency, data["role"])
