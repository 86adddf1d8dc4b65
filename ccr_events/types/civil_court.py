"""Civil and family court: orders for protection from petition to expiry."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.orders import Findings, HearingRequester, OrderChangeCause, Relief
from ccr_events.labels import Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Payload
from ccr_events.registry import event_type
from ccr_events.types.order_terms import OrderConditions


@event_type("ofp.petitioned", publishers=(Agency.CIV,), victim_act=True)
class OfpPetitioned(Payload):
    """A petition for an order for protection was filed: the petitioner's own act."""

    relief: Annotated[tuple[Relief, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    address_confidential: Annotated[bool | None, clear(Label.VLOC)] = None
    """The petitioner's address is not to be shown to anyone but those who serve and enforce."""
    companion_case_no: Annotated[Code | None, clear(Label.CJI)] = None
    """Court file of a criminal case between the same people."""
    advocate_with_petitioner: Annotated[bool | None, clear(Label.VID)] = None
    """An advocate stands beside the petitioner already, so that none need be offered."""
    notice_opt_in: Annotated[bool | None, clear(Label.VID)] = None
    """The petitioner wants to hear from the court about the order by the safe contact on file."""
    children: Annotated[int | None, sealed(Label.CHILD)] = Field(default=None, ge=0, le=50)
    """How many children the petition covers."""
    facts: Annotated[LongText | None, sealed(Label.CJI)] = None


class _Terms(OrderConditions):
    brady: Annotated[bool | None, clear(Label.CJI)] = None
    """The subject may not have firearms under federal law (NIEM `ProtectionOrderBradyIndicator`)."""


@event_type("ofp.ex_parte_granted", publishers=(Agency.CIV,))
class OfpExParteGranted(_Terms):
    """A court granted an order without a hearing; it binds once served."""

    hearing_at: Annotated[Instant | None, clear(Label.CJI)] = None


@event_type("ofp.denied", publishers=(Agency.CIV,))
class OfpDenied(Payload):
    """A court denied a petition, without a hearing or after one."""

    ex_parte: Annotated[bool | None, clear(Label.CJI)] = None
    """Denied without a hearing."""
    hearing_at: Annotated[Instant | None, clear(Label.CJI)] = None
    """A hearing was set all the same."""
    findings: Annotated[Findings | None, clear(Label.CJI)] = None


@event_type("ofp.hearing_requested", publishers=(Agency.CIV,), victim_act=True)
class OfpHearingRequested(Payload):
    """A party asked for a hearing on an order; it may have been the petitioner, so it never satisfies a link."""

    requested_by: Annotated[HearingRequester, clear(Label.CJI)]


@event_type("ofp.hearing_held", publishers=(Agency.CIV,))
class OfpHearingHeld(Payload):
    """The hearing on a petition took place."""

    findings: Annotated[Findings | None, clear(Label.CJI)] = None


@event_type("ofp.granted", publishers=(Agency.CIV,))
class OfpGranted(_Terms):
    """A court granted an order after a hearing or by agreement."""

    findings: Annotated[Findings | None, clear(Label.CJI)] = None


@event_type("ofp.modified", publishers=(Agency.CIV,))
class OfpModified(_Terms):
    """A court changed the terms of an order."""

    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None


@event_type("ofp.extended", publishers=(Agency.CIV,))
class OfpExtended(_Terms):
    """A court extended an order; `expires_at` is the new end."""

    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None


@event_type("ofp.dismissed", publishers=(Agency.CIV,))
class OfpDismissed(Payload):
    """A court dismissed a petition or an order."""

    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None
    findings: Annotated[Findings | None, clear(Label.CJI)] = None


@event_type("ofp.expired", publishers=(Agency.CIV,))
class OfpExpired(Payload):
    """An order came to its end."""

    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None
