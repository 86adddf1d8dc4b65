"""911 and dispatch: a call, the units sent to it, how it was closed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.response import CallDisposition, CallerRole, CallNature
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, LongText, Payload, ShortText
from ccr_events.registry import event_type


@event_type("call.received", publishers=(Agency.PSAP,))
class CallReceived(Payload):
    """A call was taken."""

    nature: Annotated[CallNature, OPS]
    priority: Annotated[int | None, OPS] = Field(default=None, ge=1, le=99)
    """1 is the most urgent; how many levels there are is the dispatch center's own."""
    premise_history: Annotated[bool | None, OPS] = None
    """Whether earlier calls to this place are on file."""
    weapon_flag: Annotated[bool | None, OPS] = None
    firearm_flag: Annotated[bool | None, OPS] = None
    order_in_effect: Annotated[bool | None, clear(Label.CHRI)] = None
    """Whether a query showed an order in effect: a pointer only, to be queried again where it is used."""
    caller_role: Annotated[CallerRole | None, sealed(Label.VID)] = None
    callback: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    address: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    children_present: Annotated[bool | None, sealed(Label.CHILD)] = None
    language: Annotated[Code | None, sealed(Label.VID)] = None
    remarks: Annotated[LongText | None, sealed(Label.CJI)] = None


class _Units(Payload):
    unit_ids: Annotated[tuple[Code, ...], OPS] = Field(default=(), max_length=MAX_LIST)


@event_type("call.dispatched", publishers=(Agency.PSAP,))
class CallDispatched(_Units):
    """Units were sent to a call."""

    history_acknowledged: Annotated[bool | None, OPS] = None
    """The unit confirmed that it has the history of the place, its orders and its weapons."""


@event_type("call.on_scene", publishers=(Agency.PSAP,))
class CallOnScene(_Units):
    """The first unit arrived."""


@event_type("call.closed", publishers=(Agency.PSAP,))
class CallClosed(_Units):
    """A call was closed."""

    disposition: Annotated[CallDisposition, OPS]
    premise_calls_90d: Annotated[int | None, OPS] = Field(default=None, ge=0, le=10_000)
    """Calls to the same place in the 90 days before."""
