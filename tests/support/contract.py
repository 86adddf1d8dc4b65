"""An invented event type for tests of the contract's machinery; not declared, so no other test sees it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationInfo, computed_field, field_validator

from ccr_events.agencies import Agency
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Model, Payload, ShortText
from ccr_events.registry import EventType


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE_OR_GREY = "blue or grey"


class Note(Model):
    """A remark."""

    kind: Annotated[Colour, OPS]
    text: Annotated[ShortText | None, sealed(Label.RISK)] = None
    where: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    number: Annotated[Code | None, clear(Label.CJI)] = None


class Sample(Payload):
    """An act invented for tests."""

    colour: Annotated[Colour, OPS] = Colour.RED
    count: Annotated[int | None, OPS] = Field(default=None, ge=0, le=9)
    at: Annotated[Instant | None, OPS] = None
    armed: Annotated[bool | None, clear(Label.CJI)] = None
    first_note: Annotated[Note | None, OPS] = None
    notes: Annotated[tuple[Note, ...], OPS] = Field(default=(), max_length=MAX_LIST)
    hidden_notes: Annotated[tuple[ShortText, ...], sealed(Label.CHILD)] = Field(default=(), max_length=MAX_LIST)
    narrative: Annotated[LongText | None, sealed(Label.CJI)] = None

    @field_validator("narrative")
    @classmethod
    def _narrative_rules(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value == "empty words":
            raise ValueError("must say something")
        if value is not None and value.startswith("quote me"):
            raise ValueError(f"must not be {value}")
        return value

    @computed_field
    @property
    def has_notes(self) -> bool:
        """A flag that policies may decide on."""
        return bool(self.notes)


SAMPLE = EventType("sample.made", 1, Sample, frozenset({Agency.LE, Agency.JAIL}), False, "An act invented for tests.")
