"""Case initiation: a court opened a criminal file. Each defendant has a `j:CaseAugmentation` of their own."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.payload import PartyRole
from services.adapters.niem.charges import CHARGE_ROWS, INDICATORS
from services.adapters.niem.conversions import COURT_FILE, SHORT
from services.adapters.niem.jtmp.numbers import control, docket, folder, incident
from services.adapters.niem.table import Default, DocumentTable, EventTable, Family, Items, People, Row

_DEFENDANT = "case/j:CaseAugmentation"
_CHARGE = f"{_DEFENDANT}/j:CaseCharge"
_BOOKING = f"{_CHARGE}/j:ChargeSubject/j:SubjectBooking"
_DOCKETED = f"{_DEFENDANT}/j:CaseCourt/nola-ext:CourtDocketAugmentation/nc:ActivityDate"
_FILED = f"{_CHARGE}/j:ChargeFilingDate"

OPENED = EventTable(
    type="court.case_opened",
    anchor="case",
    anchor_paths=("document/nc:CourtCase", "document/nc:Case"),
    occurred_at=(
        "case/nc:ActivityDate/nc:DateTime",
        "case/nc:ActivityDate/nc:Date",
        f"{_DOCKETED}/nc:DateTime",
        f"{_DOCKETED}/nc:Date",
        f"{_FILED}/nc:DateTime",
        f"{_FILED}/nc:Date",
    ),
    numbers=(
        docket("case/nc:CaseDocketID"),
        incident(
            f"{_BOOKING}/j:Arrest/j:ArrestCharge/nola-ext:ChargeAugmentation/nola-ext:ArrestIncident/nc:ActivityIdentification/nc:IdentificationID"
        ),
        folder(f"{_BOOKING}/j:BookingDocumentControlIdentification/nc:IdentificationID"),
        control(f"{_BOOKING}/j:BookingAgencyRecordIdentification/nc:IdentificationID"),
    ),
    rows=(
        Row("kind", ("case/nc:CaseGeneralCategoryText",), COURT_FILE),
        Row("title", ("case/nc:CaseTitleText",), SHORT, note="sealed: it names people"),
    ),
    defaults=(Default("kind", "criminal", "the document names no type; the exchange is the criminal court's"),),
    items=(Items("counts", (_CHARGE,), CHARGE_ROWS),),
    people=(
        People(PartyRole.SUSPECT, (f"{_DEFENDANT}/j:CaseDefendantParty",), ("holder/nc:EntityPerson",)),
        People(PartyRole.VICTIM, (f"{_CHARGE}/j:ChargeVictim",), ("holder/nc:RoleOfPerson",)),
        People(PartyRole.WITNESS, (f"{_DEFENDANT}/j:CaseWitness",), ("holder/nc:RoleOfPerson",)),
        People(
            None,
            (f"{_DEFENDANT}/j:CaseOtherEntity",),
            ("holder/nc:EntityPerson",),
            (
                "holder/nola-ext:EntityCourtCasePartyAugmentation/nola-ext:CourtCasePartyRoleText",
                "holder/nola-ext:EntityCourtCasePartyAugmentation/nola-ext:CourtCasePartyRoleCode",
            ),
        ),
    ),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:CaseInitiationExchange",
    title="Case initiation",
    agency=Agency.CRIM,
    events=(OPENED,),
    operation=("document/nc:CourtCase", "document/nc:Case"),
)
