"""First stage: may this agency publish this type at all."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.catalogue import UnknownEventType, event_type_named, event_types
from ccr_events.registry import EventType
from services.engine.ports import FieldProblem, Submission
from services.intake.stages import Refused

BACKBONE_KEYS = "ccr-"
"""Key ids of the backbone's own parts begin so (`ccr-alerts`, `ccr-proposals`); an issued key's id has no hyphen."""


def allowed(submission: Submission) -> EventType | Refused:
    """The declared type, or why not."""
    event = submission.event
    found = event_types().get(event.type)
    if found is None:
        return Refused(submission, "quarantined", "unknown event type", (FieldProblem("/type", _near(event.type)),))
    if not found.logged:
        return Refused(submission, "forbidden", f"{found.name} never stands on the shared log")
    if not found.publishers:
        if submission.agency == Agency.CCR and submission.key_id.startswith(BACKBONE_KEYS):
            return found
        return Refused(submission, "forbidden", f"only the backbone itself writes {found.name}")
    if submission.agency not in found.publishers:
        may = ", ".join(sorted(found.publishers))
        return Refused(
            submission, "forbidden", f"{submission.agency} may not publish {found.name}; these agencies may: {may}"
        )
    return found


def _near(name: str) -> str:
    try:
        event_type_named(name)
    except UnknownEventType as error:
        _, hint, near = str(error).partition("; did you mean ")
    return f"is no event type of the contract{hint}{near}"
