"""Police at the scene: the report, the arrest or why there was none, the review of a dual arrest.

Source: the report is due whether or not anybody is arrested (Minn. Stat. 629.341 s. 4, to be verified locally).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, computed_field

from ccr_events.agencies import Agency
from ccr_events.codes.ndex import CHILD_ABUSE, AbusePattern, ChildImpact
from ccr_events.codes.nibrs import (
    FIREARMS,
    ArrestType,
    AssaultCircumstance,
    ExceptionalClearance,
    Injury,
    Offense,
    Relationship,
    SubstanceUse,
    Weapon,
)
from ccr_events.codes.response import NoArrestReason, ReviewFinding, WelfareCheckOutcome
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Payload, ShortText
from ccr_events.registry import event_type
from ccr_events.types.charges import Charge


@event_type("incident.reported", publishers=(Agency.LE,))
class IncidentReported(Payload):
    """Police reported an incident."""

    offenses: Annotated[tuple[Offense, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    relationship: Annotated[Relationship | None, clear(Label.CJI)] = None
    """The victim was the offender's …"""
    circumstances: Annotated[tuple[AssaultCircumstance, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    suspect_present: Annotated[bool | None, OPS] = None
    """Whether the suspect was there when police came."""
    ofp_in_effect: Annotated[bool | None, clear(Label.CHRI)] = None
    """Whether an order was in effect: a pointer only, to be queried again where it is used."""
    narrative_ref: Annotated[Code | None, clear(Label.CJI)] = None
    """Number of the report in the police record system."""
    narrative: Annotated[LongText | None, sealed(Label.CJI)] = None
    location: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    injury: Annotated[Injury | None, sealed(Label.HLTH)] = None
    """The most serious one."""
    weapon: Annotated[Weapon | None, sealed(Label.HLTH)] = None
    """The most dangerous one; sealed with the injury, since one of its codes means strangulation."""
    strangulation: Annotated[bool | None, sealed(Label.HLTH)] = None
    substances: Annotated[tuple[SubstanceUse, ...] | None, sealed(Label.HLTH)] = Field(
        default=None, max_length=MAX_LIST
    )
    """What the offender is suspected of having used."""
    pattern: Annotated[tuple[AbusePattern, ...] | None, sealed(Label.RISK)] = Field(default=None, max_length=MAX_LIST)
    child_impact: Annotated[tuple[ChildImpact, ...] | None, sealed(Label.CHILD)] = Field(
        default=None, max_length=MAX_LIST
    )
    exceptional_clearance: Annotated[ExceptionalClearance | None, sealed(Label.CJI)] = None

    @computed_field  # type: ignore[prop-decorator]  # pydantic reads the property
    @property
    def child_abuse(self) -> Annotated[bool, clear(Label.CHILD)]:
        """Whether the impact on children means harm or threat to a child itself; all that policies need to know."""
        return not CHILD_ABUSE.isdisjoint(self.child_impact or ())

    @computed_field  # type: ignore[prop-decorator]  # pydantic reads the property
    @property
    def firearm(self) -> Annotated[bool, clear(Label.CJI)]:
        """Whether the weapon was a firearm."""
        return self.weapon in FIREARMS


@event_type("arrest.made", publishers=(Agency.LE,))
class ArrestMade(Payload):
    """Police arrested a suspect."""

    arrest_type: Annotated[ArrestType | None, clear(Label.CJI)] = None
    charges: Annotated[tuple[Charge, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    probable_cause_at: Annotated[Instant | None, OPS] = None
    dual_arrest: Annotated[bool | None, clear(Label.CJI)] = None
    """Whether the other party was arrested too."""
    self_defense_reviewed: Annotated[bool | None, clear(Label.CJI)] = None
    supervisor_id: Annotated[Code | None, sealed(Label.OPS)] = None
    """Sealed: no worker is named outside their own agency."""
    location: Annotated[ShortText | None, sealed(Label.VLOC)] = None
    narrative: Annotated[LongText | None, sealed(Label.CJI)] = None


@event_type("arrest.not_made", publishers=(Agency.LE,))
class ArrestNotMade(Payload):
    """Police made no arrest, and why."""

    reason: Annotated[NoArrestReason, clear(Label.CJI)]
    probable_cause: Annotated[bool | None, clear(Label.CJI)] = None
    """Whether there was probable cause for an arrest."""
    goa_attempts: Annotated[int | None, OPS] = Field(default=None, ge=0, le=1000)
    """Attempts so far to find a suspect who was gone on arrival."""


@event_type("arrest.reviewed", publishers=(Agency.LE, Agency.PROS))
class ArrestReviewed(Payload):
    """A supervisor or prosecutor reviewed arrests for the predominant aggressor."""

    finding: Annotated[ReviewFinding, clear(Label.CJI)]


@event_type("welfare_check.made", publishers=(Agency.LE,))
class WelfareCheckMade(Payload):
    """Officers checked on a victim's safety, for example after a release the victim could not be told of."""

    outcome: Annotated[WelfareCheckOutcome, OPS]
    location: Annotated[ShortText | None, sealed(Label.VLOC)] = None
