"""Prosecution: charging decisions.

Source: the reason for a dismissal is on record by statute, and the victim is told of it (Minn. Stat. 611A.0315).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.courts import DismissalReason
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Instant, Payload, ShortText
from ccr_events.registry import event_type
from ccr_events.types.charges import Charge


@event_type("charge.filed", publishers=(Agency.PROS,))
class ChargeFiled(Payload):
    """The prosecutor filed charges."""

    counts: Annotated[tuple[Charge, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    enhancement: Annotated[bool | None, sealed(Label.CHRI)] = None
    """Enhanced for a qualified domestic violence-related prior."""


class _NotPursued(Payload):
    reason: Annotated[DismissalReason | None, clear(Label.CJI)] = None
    """Absent when the system that reports it does not carry it: the notice to the victim is due all the same."""
    victim_notified_at: Annotated[Instant | None, OPS] = None
    reason_detail: Annotated[ShortText | None, sealed(Label.CJI)] = None
    """Why, in words; for a witness who is not available, what was tried."""
    counts: Annotated[tuple[Charge, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)


@event_type("charge.declined", publishers=(Agency.PROS,))
class ChargeDeclined(_NotPursued):
    """The prosecutor declined to charge."""


@event_type("charge.dismissed", publishers=(Agency.PROS,))
class ChargeDismissed(_NotPursued):
    """Charges were dismissed."""
