"""What every event payload shares: references, parties, the domestic-violence flag."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ccr_events.labels import OPS, Label, sealed

MAX_LIST = 64
"""Bound on every list in a payload."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:/ -]+$")]
"""A short open code or number: never a name, never a sentence."""
RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z][a-z'_ -]*$")]
"""A role in an agency, in lower case, such as `patrol sergeant`: never a worker's name or number."""
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=500)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=50_000)]
SourceDocument = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]
Instant = AwareDatetime
"""An aware datetime; naive times are refused."""


class Model(BaseModel):
    """Base of every contract model: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ReferenceKind(StrEnum):
    """Whose number it is. Each kind points to one case; a person's state identifier does not and is a party's."""

    CAD = "cad_no"
    INCIDENT = "incident_no"
    BOOKING = "booking_no"
    COURT_CASE = "court_case_no"
    ORDER = "order_no"
    REFERRAL = "referral_no"


class Reference(Model):
    """An agency's own number that points to a case."""

    kind: Annotated[ReferenceKind, OPS]
    number: Annotated[Code, OPS]
    issuer: Annotated[Annotated[str, StringConstraints(max_length=32, pattern=r"^[\w.-]*$")], OPS] = ""
    """ORI or agency id that issued the number; empty when the county has one issuer for this kind."""


class PartyRole(StrEnum):
    """What part a person has in the case. `suspect` is also arrestee, defendant, respondent, participant."""

    SUSPECT = "suspect"
    VICTIM = "victim"
    CHILD = "child"
    WITNESS = "witness"


class PersonName(Model):
    """A person's name as the agency wrote it."""

    given: Annotated[ShortText | None, sealed(Label.VID)] = None
    middle: Annotated[ShortText | None, sealed(Label.VID)] = None
    surname: Annotated[ShortText, sealed(Label.VID)]
    suffix: Annotated[ShortText | None, sealed(Label.VID)] = None


class Party(Model):
    """A person in the case; everything that identifies the person is sealed."""

    role: Annotated[PartyRole, OPS]
    token: Annotated[Code | None, OPS] = None
    """Opaque, given by the backbone; an adapter leaves it out."""
    name: Annotated[PersonName | None, sealed(Label.VID)] = None
    birth_date: Annotated[date | None, sealed(Label.VID)] = None
    state_id: Annotated[Code | None, sealed(Label.CJI)] = None
    sex_code: Annotated[Code | None, sealed(Label.CJI)] = None
    race_code: Annotated[Code | None, sealed(Label.CJI)] = None
    address: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    phone: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    safe_contact: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    language: Annotated[Code | None, sealed(Label.VID)] = None


class YesNoUnknown(StrEnum):
    """A flag an agency may not know."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Payload(Model):
    """Base of every event's `data`."""

    references: Annotated[tuple[Reference, ...], OPS] = Field(default=(), max_length=16)
    parties: Annotated[tuple[Party, ...], OPS] = Field(default=(), max_length=16)
    dv: Annotated[YesNoUnknown, OPS] = YesNoUnknown.UNKNOWN
    """Whether the publishing agency identified domestic violence; never derived from an NIBRS code alone."""
    source_document: Annotated[SourceDocument | None, sealed(Label.CJI)] = None
    """The untouched source (for example a NIEM document, base64 of zlib), kept sealed with the event."""
