"""Sealing and destruction of records, the keys behind them, and reads of sealed fields."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import KeyRing, ReadOutcome, ReadPurpose, SealAction, SealScope
from ccr_events.labels import OPS, Label, clear
from ccr_events.payload import MAX_LIST, Code, Instant, Payload
from ccr_events.registry import event_type
from ccr_events.types.unnamed import Unnamed


@event_type("record.seal_ordered", publishers=(Agency.CRIM, Agency.REG))
class RecordSealOrdered(Payload):
    """A record is to be sealed, destroyed or opened again."""

    scope: Annotated[SealScope, clear(Label.CJI)]
    action: Annotated[SealAction, clear(Label.CJI)] = SealAction.SEAL
    statute: Annotated[Code | None, clear(Label.CJI)] = None
    effective_at: Annotated[Instant | None, clear(Label.CJI)] = None
    apply_by: Annotated[Instant | None, clear(Label.CJI)] = None
    """By when every agency must have done it."""
    hold: Annotated[bool | None, clear(Label.CJI)] = None
    """Litigation or an appeal holds it up."""


@event_type("record.seal_applied", publishers=tuple(Agency))
class RecordSealApplied(Unnamed):
    """An agency carried out a sealing order in its own systems."""

    order_event: Annotated[Code | None, OPS] = None
    """Id of the `record.seal_ordered` event."""
    held_record: Annotated[bool | None, OPS] = None
    """False: the agency holds no such record."""


@event_type("record.keys_moved", publishers=())
class RecordKeysMoved(Unnamed):
    """The backbone moved a case's keys to another ring, or destroyed them; every copy follows."""

    from_ring: Annotated[KeyRing, OPS]
    to_ring: Annotated[KeyRing, OPS]
    order_event: Annotated[Code | None, OPS] = None
    """Id of the `record.seal_ordered` event."""


@event_type("access.audited", publishers=())
class AccessAudited(Unnamed):
    """Somebody asked to read sealed fields of an event, and was let or not."""

    event_id: Annotated[Code, OPS]
    """Whose fields."""
    reader: Annotated[Agency, OPS]
    key_id: Annotated[Code | None, OPS] = None
    """Public id of the API key."""
    labels: Annotated[tuple[Label, ...], OPS] = Field(min_length=1, max_length=MAX_LIST)
    purpose: Annotated[ReadPurpose, OPS]
    outcome: Annotated[ReadOutcome, OPS]
    review_by: Annotated[Instant | None, OPS] = None
    """By when a reading behind broken glass is to be reviewed."""
