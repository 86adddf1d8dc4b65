"""Jail and custody: booking, threats from inside, release."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.custody import HoldReason, ReleaseReason, ThreatMedium
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Payload
from ccr_events.registry import event_type
from ccr_events.types.charges import Charge


@event_type("jail.booked", publishers=(Agency.JAIL,))
class JailBooked(Payload):
    """A person was booked into jail."""

    hold_reason: Annotated[HoldReason | None, clear(Label.CJI)] = None
    charges: Annotated[tuple[Charge, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    arrested_at: Annotated[Instant | None, clear(Label.CJI)] = None
    """When the clock of the hold started, if the jail knows."""
    hold_expires_at: Annotated[Instant | None, clear(Label.CJI)] = None
    facility: Annotated[Code | None, OPS] = None
    victim_phone_block: Annotated[bool | None, clear(Label.VLOC)] = None
    """Whether the victim's numbers are blocked; absent until the victim was asked. The numbers are a party's."""
    in_custody_threat: Annotated[bool | None, sealed(Label.RISK)] = None


@event_type("jail.threat_recorded", publishers=(Agency.JAIL,))
class JailThreatRecorded(Payload):
    """The jail recorded a threat that an inmate made."""

    medium: Annotated[ThreatMedium, clear(Label.CJI)]
    sent_to_pros: Annotated[bool | None, OPS] = None
    """Whether the jail's report went to the prosecutor."""
    summary: Annotated[LongText | None, sealed(Label.RISK)] = None


@event_type("custody.release_pending", publishers=(Agency.JAIL,))
class CustodyReleasePending(Payload):
    """A release is coming: the time to tell the victim is now. Custody is never extended for it."""

    reason: Annotated[ReleaseReason | None, clear(Label.CJI)] = None
    earliest_at: Annotated[Instant | None, OPS] = None
    """Earliest instant at which he may walk out; absent when it may be at any moment."""
    conditions_ref: Annotated[Code | None, clear(Label.CJI)] = None
    """Number of the written conditions of release."""
    victim_notice_requested: Annotated[bool | None, clear(Label.VID)] = None
    advocate_notice_requested: Annotated[bool | None, clear(Label.VID)] = None
    post_conviction: Annotated[bool | None, clear(Label.CJI)] = None
    """The end of a sentence rather than a release before trial."""
    felony_over_18_months: Annotated[bool | None, clear(Label.CJI)] = None
    """A felony sentence of more than 18 months, of whose end notice is given earlier (Minn. Stat. 611A.06)."""


@event_type("custody.released", publishers=(Agency.JAIL,))
class CustodyReleased(Payload):
    """A person left custody."""

    reason: Annotated[ReleaseReason | None, clear(Label.CJI)] = None
    conditions_ref: Annotated[Code | None, clear(Label.CJI)] = None
    next_court_at: Annotated[Instant | None, clear(Label.CJI)] = None
    victim_reached: Annotated[bool | None, OPS] = None
    """Whether the victim was told before the door opened; absent when the jail does not say."""


@event_type("custody.transferred", publishers=(Agency.JAIL,))
class CustodyTransferred(Payload):
    """A person was moved to the custody of another facility."""

    to_facility: Annotated[Code | None, OPS] = None
    conditions_ref: Annotated[Code | None, clear(Label.CJI)] = None
    next_court_at: Annotated[Instant | None, clear(Label.CJI)] = None


@event_type("custody.escaped", publishers=(Agency.JAIL,))
class CustodyEscaped(Payload):
    """A person escaped from custody."""

    facility: Annotated[Code | None, OPS] = None
    description: Annotated[LongText | None, sealed(Label.CJI)] = None
