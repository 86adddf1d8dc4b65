"""Incident and arrest reports of OJBC: LEXS digest for who and what, N-DEx and OJBC payloads for the particulars.

Activities, persons and places stand side by side and are joined by associations; the structured payloads say which
digest element each of theirs adds to.
"""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.payload import PartyRole, ReferenceKind
from services.adapters.niem.charges import INDICATORS
from services.adapters.niem.code_tables import GRAVEST_INJURY
from services.adapters.niem.conversions import CODE, COUNT, INJURY, LONG, NIBRS, RELATIONSHIP, SHORT
from services.adapters.niem.table import DocumentTable, EventTable, Family, Items, Number, Paths, People, Row

_PACKAGE = "document/lexs:doPublish/lexs:PublishMessageContainer/lexs:PublishMessage/lexs:DataItemPackage"
_DIGEST = f"{_PACKAGE}/lexs:Digest"
_ACTIVITY = f"{_DIGEST}/digest:EntityActivity/nc:Activity"
_INVOLVED = "incident/~nc:ActivityInvolvedPersonAssociation"
_PAYLOAD = f"{_PACKAGE}/lexs:StructuredPayload/ndex:IncidentReport"


def _times(scope: str) -> Paths:
    return tuple(
        f"{scope}/{date}/nc:{kind}"
        for date in ("nc:ActivityDate", "nc:ActivityDateRange/nc:StartDate")
        for kind in ("DateTime", "Date")
    )


_INCIDENT_NUMBER: Paths = (
    "incident/nc:ActivityIdentification/nc:IdentificationID",
    "incident/=ndex:Incident/ndex:IncidentAugmentation/ndex:IncidentCaseNumberText",
)
_INCIDENT_SCOPE = ("incident", (f"{_ACTIVITY}[nc:ActivityCategoryText~incident]",))
_DIGEST_SCOPE = ("digest", (_DIGEST,))
_OFFENSE_ROWS = (
    Row("number", ("item/=ndex:Offense/j:OffenseSequenceID",), COUNT),
    Row(
        "statute",
        ("item/=ndex:Offense/j:Statute/j:StatuteCodeIdentification/nc:IdentificationID",),
        CODE,
        domestic=True,
    ),
    Row(
        "nibrs",
        ("item/=ndex:Offense/ndex:OffenseCode", "arrest_subject/j:ChargeUCRCode"),
        NIBRS,
    ),
    Row(
        "description",
        (
            "item/=ndex:Offense/ndex:OffenseText",
            "item/nc:ActivityDescriptionText",
            "item/=ojbc-ext:Offense/ojbc-ext:OffenseCodeText",
        ),
        SHORT,
        domestic=True,
        note="sealed",
    ),
)
_VICTIMS = (
    People(PartyRole.VICTIM, ("digest/digest:EntityPerson/j:Victim",), ("holder/nc:RoleOfPersonReference",)),
    People(PartyRole.VICTIM, ("incident/~digest:IncidentVictimPersonAssociation/nc:PersonReference",)),
    People(PartyRole.WITNESS, ("digest/digest:EntityPerson/j:Witness",), ("holder/nc:RoleOfPersonReference",)),
)
_OFFENSES = "incident/~digest:IncidentOffenseAssociation/nc:ActivityReference"

INCIDENT = EventTable(
    type="incident.reported",
    anchor="incident",
    anchor_paths=_INCIDENT_SCOPE[1],
    also=(_DIGEST_SCOPE, ("entity", ("incident/^digest:EntityActivity",))),
    occurred_at=(
        *_times("incident"),
        "entity/digest:Metadata/nc:ReportedDate/nc:DateTime",
        "entity/digest:Metadata/nc:ReportedDate/nc:Date",
    ),
    numbers=(Number(ReferenceKind.INCIDENT, _INCIDENT_NUMBER),),
    rows=(
        Row("offenses", (f"{_OFFENSES}/=ndex:Offense/ndex:OffenseCode",), NIBRS, many=True),
        Row(
            "relationship",
            (
                "document//ndex:SubjectVictimAssociationAugmentation/ndex:VictimToSubjectRelationshipCode",
                "document//ndex:VictimToSubjectRelationshipCode",
            ),
            RELATIONSHIP,
        ),
        Row(
            "injury",
            (f"{_PAYLOAD}/ndex:Victim/ndex:VictimInjury/ndex:InjuryCategoryCode",),
            INJURY,
            gravest=GRAVEST_INJURY,
            note="the victim's gravest; sealed",
        ),
        Row("narrative_ref", _INCIDENT_NUMBER, CODE),
        Row("narrative", ("incident/nc:ActivityDescriptionText",), LONG, note="sealed"),
        Row(
            "charge_words",
            (
                f"{_OFFENSES}/=ndex:Offense/ndex:OffenseText",
                f"{_OFFENSES}/=ndex:Offense/ndex:OffenseCode",
                f"{_OFFENSES}/=ndex:Offense/j:Statute/j:StatuteCodeIdentification/nc:IdentificationID",
                f"{_OFFENSES}/=ojbc-ext:Offense/ojbc-ext:OffenseCodeText",
                f"{_OFFENSES}/nc:ActivityDescriptionText",
            ),
            many=True,
            domestic=True,
            note="no field: read for the domestic-violence flag only",
        ),
    ),
    people=(
        *_VICTIMS,
        People(PartyRole.SUSPECT, ("digest/digest:EntityPerson/j:Suspect",), ("holder/nc:RoleOfPersonReference",)),
        People(PartyRole.SUSPECT, ("incident/~digest:IncidentSubjectPersonAssociation/nc:PersonReference",)),
        People(
            PartyRole.SUSPECT, ("digest/digest:EntityPerson/j:ArrestSubject",), ("holder/nc:RoleOfPersonReference",)
        ),
        People(None, (_INVOLVED,), ("holder/nc:PersonReference",), ("holder/nc:PersonActivityInvolvementText",)),
    ),
    indicators=INDICATORS,
)

ARREST = EventTable(
    type="arrest.made",
    anchor="arrest",
    anchor_paths=(f"{_ACTIVITY}[nc:ActivityCategoryText~arrest]",),
    optional=True,
    dual=True,
    also=(
        ("incident", ("arrest/~digest:IncidentArrestAssociation/nc:ActivityReference", *_INCIDENT_SCOPE[1])),
        _DIGEST_SCOPE,
        (
            "arrest_subject",
            (
                "arrest/~digest:ArrestSubjectAssociation/nc:PersonReference/=ndex:ArrestSubject/ndex:ArrestSubjectAugmentation",
                f"{_PACKAGE}/lexs:StructuredPayload/ndex:ArrestReport/ndex:ArrestSubject/ndex:ArrestSubjectAugmentation",
            ),
        ),
    ),
    occurred_at=_times("arrest"),
    numbers=(Number(ReferenceKind.INCIDENT, _INCIDENT_NUMBER),),
    subjects=("arrest/~digest:ArrestSubjectAssociation/nc:PersonReference",),
    rows=(Row("narrative", ("arrest/nc:ActivityDescriptionText",), LONG, note="sealed"),),
    items=(Items("charges", ("arrest/~digest:ArrestOffenseAssociation/nc:ActivityReference",), _OFFENSE_ROWS),),
    people=(
        *_VICTIMS,
        People(None, (_INVOLVED,), ("holder/nc:PersonReference",), ("holder/nc:PersonActivityInvolvementText",)),
    ),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.OJBC,
    root="ojbc:IncidentReport",
    title="Incident report, with or without arrest",
    agency=Agency.LE,
    events=(INCIDENT, ARREST),
)
UPDATE = DocumentTable(
    family=Family.OJBC,
    root="ojbc:IncidentReportUpdate",
    title="Incident report, update",
    agency=Agency.LE,
    events=(INCIDENT, ARREST),
)
