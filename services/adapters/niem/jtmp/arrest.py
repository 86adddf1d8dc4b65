"""Arrest report: police publish it when a supervisor has approved it."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.payload import PartyRole
from services.adapters.niem.charges import CHARGE_ROWS, INDICATORS
from services.adapters.niem.code_tables import GRAVEST_INJURY
from services.adapters.niem.conversions import CODE, INJURY, LONG, NIBRS, RELATIONSHIP
from services.adapters.niem.jtmp.numbers import incident, tracking
from services.adapters.niem.table import Condition, DocumentTable, EventTable, Family, Items, People, Row

_INCIDENT = "nola-ext:ArrestAugmentation/j:IncidentArrestAssociation/nc:Incident"
_OFFENSE = "nola-ext:ArrestAugmentation/j:OffenseArrestAssociation/j:Offense"
_VICTIM = "j:ArrestCharge/j:ChargeVictim"
_RELATIONSHIP = "nola-ext:ChargeVictimAugmentation/nola-ext:VictimOffenderRelationshipTypeID"

ARREST = EventTable(
    type="arrest.made",
    anchor="arrest",
    anchor_paths=("document/j:Arrest",),
    occurred_at=("arrest/nc:ActivityDate/nc:DateTime", "arrest/nc:ActivityDate/nc:Date"),
    numbers=(
        incident(
            f"arrest/{_INCIDENT}/nc:ActivityIdentification/nc:IdentificationID",
            "arrest/nola-ext:ArrestAugmentation/nc:Incident/nc:ActivityIdentification/nc:IdentificationID",
            "arrest/j:ArrestCharge/nola-ext:ChargeAugmentation/nola-ext:ArrestIncident/nc:ActivityIdentification/nc:IdentificationID",
        ),
        tracking("arrest/j:ArrestCharge"),
    ),
    subjects=("arrest/j:ArrestSubject/nc:RoleOfPerson",),
    rows=(
        Row(
            "narrative",
            (f"arrest/{_INCIDENT}/nc:IncidentReportedNarrative/nc:DocumentSummaryText",),
            LONG,
            note="sealed",
        ),
    ),
    items=(Items("charges", ("arrest/j:ArrestCharge",), CHARGE_ROWS),),
    people=(
        People(
            None,
            (f"arrest/{_INCIDENT}/j:IncidentAugmentation/j:IncidentParticipant",),
            ("holder/nc:RoleOfPerson",),
            ("holder/j:ParticipantRoleCategoryText",),
        ),
        People(
            None,
            ("arrest/nola-ext:ArrestAugmentation/j:OtherInvolvedPerson",),
            ("holder/nc:RoleOfPerson",),
            ("holder/j:InvolvementText", "holder/j:ParticipantRoleCategoryText"),
        ),
        People(PartyRole.VICTIM, (f"arrest/{_VICTIM}",), ("holder/nc:RoleOfPerson",)),
    ),
    indicators=INDICATORS,
)

INCIDENT = EventTable(
    type="incident.reported",
    anchor="incident",
    anchor_paths=(f"document/j:Arrest/{_INCIDENT}",),
    optional=True,
    also=(("arrest", ("incident/^j:Arrest", "document/j:Arrest")),),
    occurred_at=(
        "incident/nc:ActivityDate/nc:DateTime",
        "incident/nc:ActivityDate/nc:Date",
        f"arrest/{_OFFENSE}/nc:ActivityDate/nc:DateTime",
        f"arrest/{_OFFENSE}/nc:ActivityDate/nc:Date",
        "arrest/nc:ActivityDate/nc:DateTime",
        "arrest/nc:ActivityDate/nc:Date",
    ),
    numbers=(incident("incident/nc:ActivityIdentification/nc:IdentificationID"),),
    rows=(
        Row(
            "offenses",
            (
                "arrest/j:ArrestCharge/nola-ext:ChargeAugmentation/nola-ext:OffenseNIBRSCode",
                "arrest/j:ArrestCharge/nola-ext:ChargeAugmentation/j:OffenseUCRCode",
                "arrest/j:ArrestCharge/nola-ext:ChargeAugmentation/nola-ext:ChargeLIBRSCode",
            ),
            NIBRS,
            many=True,
        ),
        Row("relationship", (f"arrest/{_VICTIM}/{_RELATIONSHIP}",), RELATIONSHIP),
        Row(
            "injury",
            (f"arrest/{_VICTIM}/nc:RoleOfPerson/nc:PersonInjury/j:InjuryCategoryCode",),
            INJURY,
            gravest=GRAVEST_INJURY,
            note="the victim's gravest; sealed",
        ),
        Row("narrative_ref", ("incident/nc:ActivityIdentification/nc:IdentificationID",), CODE),
        Row("narrative", ("incident/nc:IncidentReportedNarrative/nc:DocumentSummaryText",), LONG, note="sealed"),
        Row(
            "charge_words",
            (
                "arrest/j:ArrestCharge/j:ChargeDescriptionText",
                "arrest/j:ArrestCharge/j:ChargeStatute/j:StatuteCodeIdentification/nc:IdentificationID",
            ),
            many=True,
            domestic=True,
            note="no field: read for the domestic-violence flag only",
        ),
    ),
    people=(
        *(person for person in ARREST.people if person.role is PartyRole.VICTIM),
        People(PartyRole.SUSPECT, ("arrest/j:ArrestSubject/nc:RoleOfPerson",)),
        People(
            None,
            ("incident/j:IncidentAugmentation/j:IncidentParticipant",),
            ("holder/nc:RoleOfPerson",),
            ("holder/j:ParticipantRoleCategoryText",),
        ),
    ),
    indicators=INDICATORS,
    conditions=(
        Condition(
            "the incident has a number of its own",
            ("incident/nc:ActivityIdentification/nc:IdentificationID",),
            CODE,
        ),
    ),
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:ArrestExchange",
    title="Arrest report",
    agency=Agency.LE,
    events=(INCIDENT, ARREST),
    operation=("document/j:Arrest",),
)
