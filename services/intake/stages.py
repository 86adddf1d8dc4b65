"""What passes between the stages of the door."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ccr_events.registry import EventType
from ccr_events.skeleton import Skeleton
from services.engine.ports import FieldProblem, Submission
from services.identity.incoming import Incoming


class Ready(NamedTuple):
    """A submission that its own content gives no reason to refuse; the log has not been asked yet."""

    submission: Submission
    type: EventType
    skeleton: Skeleton
    incoming: Incoming
    digest: bytes
    said_once: bool
    """Its id is derived from what it says: see `services.intake.validate.is_said_once`."""
    tokens: tuple[tuple[int, str], ...] = ()
    """(index of a party, its token), for people known exactly."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A submission that is not accepted, and why. Texts hold no submitted value."""

    submission: Submission
    status: Literal["quarantined", "conflict", "forbidden"]
    title: str
    problems: tuple[FieldProblem, ...] = field(default=())

    @property
    def kept(self) -> bool:
        """Whether it goes to quarantine. What an agency may not publish at all is not stored in its name."""
        return self.status != "forbidden"
