"""A charge, as police, jail, prosecutor and court write it; part of several payloads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.codes.nibrs import Offense
from ccr_events.codes.response import ChargeLevel
from ccr_events.labels import Label, clear, sealed
from ccr_events.payload import Code, Model, ShortText


class Charge(Model):
    """One charge or count. Every field is optional: agencies know different parts of it at different times."""

    number: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=9999)
    """Number of the count within the document."""
    statute: Annotated[Code | None, clear(Label.CJI)] = None
    nibrs: Annotated[Offense | None, clear(Label.CJI)] = None
    level: Annotated[ChargeLevel | None, clear(Label.CJI)] = None
    description: Annotated[ShortText | None, sealed(Label.CJI)] = None
    """The charge in the agency's words; they may name a person or a place."""
