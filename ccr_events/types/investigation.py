"""Police follow-up: the search for a suspect, warrants, violations of orders."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.courts import WarrantKind, WarrantStatus
from ccr_events.codes.ncic import ProtectionOrderCondition
from ccr_events.codes.response import SearchStatus
from ccr_events.labels import Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, LongText, Payload, ShortText
from ccr_events.registry import event_type


@event_type("suspect.sought", publishers=(Agency.LE,))
class SuspectSought(Payload):
    """Police look for a suspect who left."""

    status: Annotated[SearchStatus | None, clear(Label.CJI)] = None
    warrant_requested: Annotated[bool | None, clear(Label.CJI)] = None
    danger: Annotated[ShortText | None, sealed(Label.RISK)] = None
    """Why he is dangerous, in words."""


@event_type("warrant.updated", publishers=(Agency.CRIM, Agency.LE))
class WarrantUpdated(Payload):
    """A warrant was issued, recalled or served."""

    status: Annotated[WarrantStatus, clear(Label.CJI)]
    kind: Annotated[WarrantKind | None, clear(Label.CJI)] = None
    warrant_no: Annotated[Code | None, clear(Label.CJI)] = None


@event_type("order.violation_reported", publishers=(Agency.LE,))
class OrderViolationReported(Payload):
    """Police took a report that an order was violated."""

    pco_violated: Annotated[tuple[ProtectionOrderCondition, ...], clear(Label.CJI)] = Field(
        default=(), max_length=MAX_LIST
    )
    probable_cause: Annotated[bool | None, clear(Label.CJI)] = None
    in_custody: Annotated[bool | None, clear(Label.CJI)] = None
    """Whether the subject was in custody already when it happened."""
    arrest_event: Annotated[Code | None, clear(Label.CJI)] = None
    """Id of the `arrest.made` event that followed."""
    facts: Annotated[LongText | None, sealed(Label.CJI)] = None
