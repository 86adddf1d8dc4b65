"""The state registry: entry, rejection, validation and clearance of orders."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.ncic import EntryField, RegistryFile
from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import MAX_LIST, Code, Payload
from ccr_events.registry import event_type


class _Entry(Payload):
    file: Annotated[RegistryFile | None, OPS] = None
    nic_no: Annotated[Code | None, sealed(Label.CHRI)] = None
    """The registry's number of the record."""


@event_type("order.entered_registry", publishers=(Agency.REG,))
class OrderEnteredRegistry(_Entry):
    """An order was entered in the registry: every officer can see it."""


@event_type("order.entry_rejected", publishers=(Agency.REG,))
class OrderEntryRejected(Payload):
    """The registry refused an order: mandatory data are missing."""

    file: Annotated[RegistryFile | None, OPS] = None
    missing: Annotated[tuple[EntryField, ...], OPS] = Field(default=(), max_length=MAX_LIST)


@event_type("order.validated", publishers=(Agency.REG,))
class OrderValidated(_Entry):
    """The registry's record of an order was checked against the court's."""


@event_type("order.cleared", publishers=(Agency.REG,))
class OrderCleared(_Entry):
    """An order was taken out of the registry."""
