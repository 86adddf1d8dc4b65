"""Service of protection orders by law enforcement."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.orders import ServiceFailure, ServiceMethod
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import Code, Instant, Payload, ShortText
from ccr_events.registry import event_type


class _Service(Payload):
    method: Annotated[ServiceMethod | None, OPS] = None
    attempt_no: Annotated[int | None, OPS] = Field(default=None, ge=1, le=1000)
    hearing_at: Annotated[Instant | None, clear(Label.CJI)] = None
    """The hearing that service must come before, as the paper says."""
    server: Annotated[Code | None, sealed(Label.OPS)] = None
    """Sealed: no worker is named outside their own agency."""
    location: Annotated[ShortText | None, sealed(Label.CJI)] = None


@event_type("ofp.service_attempted", publishers=(Agency.LE,))
class OfpServiceAttempted(_Service):
    """An officer tried to serve an order and could not."""

    failed_reason: Annotated[ServiceFailure | None, OPS] = None


@event_type("ofp.served", publishers=(Agency.LE,))
class OfpServed(_Service):
    """An order was served on the respondent: the hours after are the most dangerous."""

    served_at: Annotated[Instant | None, OPS] = None
    """When it was handed over, where the return of service says so; otherwise when the event occurred."""
