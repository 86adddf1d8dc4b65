"""Firearms: ordered surrendered, surrendered, proven, or not."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.orders import FirearmNoncompliance, FirearmRecipient
from ccr_events.labels import Label, clear
from ccr_events.payload import Instant, Payload
from ccr_events.registry import event_type

_COURTS_AND_POLICE = (Agency.CRIM, Agency.CIV, Agency.LE)


class _Firearms(Payload):
    count: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=10_000)
    """How many firearms."""
    recipient: Annotated[FirearmRecipient | None, clear(Label.CJI)] = None


@event_type("firearm.order_made", publishers=(Agency.CRIM, Agency.CIV))
class FirearmOrderMade(_Firearms):
    """A court ordered firearms to be given up."""

    due_by: Annotated[Instant | None, clear(Label.CJI)] = None


@event_type("firearm.surrendered", publishers=(Agency.LE,))
class FirearmSurrendered(_Firearms):
    """Firearms were given up."""


@event_type("firearm.proof_filed", publishers=_COURTS_AND_POLICE)
class FirearmProofFiled(_Firearms):
    """Proof that firearms were given up was filed."""


@event_type("firearm.noncompliance", publishers=_COURTS_AND_POLICE)
class FirearmNoncomplianceFound(Payload):
    """A subject did not give up firearms as ordered."""

    kind: Annotated[FirearmNoncompliance, clear(Label.CJI)]
