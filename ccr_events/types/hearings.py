"""Court hearings, criminal and civil."""

from __future__ import annotations

from typing import Annotated

from ccr_events.agencies import Agency
from ccr_events.codes.courts import HearingKind
from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import Code, Instant, Payload
from ccr_events.registry import event_type


class _Hearing(Payload):
    kind: Annotated[HearingKind, OPS]
    at: Annotated[Instant | None, OPS] = None
    """When it is, or was, to start."""
    room: Annotated[Code | None, OPS] = None
    interpreter: Annotated[Code | None, sealed(Label.VID)] = None
    """Language to interpret."""


@event_type("hearing.scheduled", publishers=(Agency.CRIM, Agency.CIV))
class HearingScheduled(_Hearing):
    """A court set a hearing."""

    victim_notice_due_at: Annotated[Instant | None, OPS] = None


@event_type("hearing.continued", publishers=(Agency.CRIM, Agency.CIV))
class HearingContinued(_Hearing):
    """A court moved a hearing; `at` is the new time."""

    victim_notice_due_at: Annotated[Instant | None, OPS] = None


@event_type("hearing.held", publishers=(Agency.CRIM, Agency.CIV))
class HearingHeld(_Hearing):
    """A hearing took place."""
