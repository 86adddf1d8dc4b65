"""Bond update: bail on a charge was set, posted or taken back. One event per bond."""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.charges import INDICATORS
from services.adapters.niem.conversions import BAIL_STATUS, CENTS, CODE, PAID, YES_NO
from services.adapters.niem.jtmp.numbers import control, docket, folder
from services.adapters.niem.table import Condition, Default, DocumentTable, EventTable, Family, Row

_CHARGE = "document/nc:CourtCase/j:CaseAugmentation/j:CaseCharge"
_MORE = "bond/nola-ext:BailBondAugmentation"
_BOOKING = "charge/j:ChargeSubject/j:SubjectBooking"

UPDATED = EventTable(
    type="bail.updated",
    anchor="bond",
    anchor_paths=(f"{_CHARGE}/hs:ChargeAugmentation/j:BailBond", f"{_CHARGE}/j:BailBond"),
    also=(("charge", ("bond/^j:CaseCharge",)), ("case", ("bond/^nc:CourtCase",))),
    occurred_at=("bond/nc:ActivityDate/nc:DateTime", "bond/nc:ActivityDate/nc:Date"),
    numbers=(
        docket("case/nc:CaseDocketID"),
        folder(f"{_BOOKING}/j:BookingDocumentControlIdentification/nc:IdentificationID"),
        control(f"{_BOOKING}/j:BookingAgencyRecordIdentification/nc:IdentificationID"),
    ),
    subjects=("case/j:CaseAugmentation/j:CaseDefendantParty/nc:EntityPerson",),
    rows=(
        Row(
            "status",
            ("bond/nc:ActivityStatus/nc:StatusText",),
            BAIL_STATUS,
        ),
        Row("hold_without_bail", (f"{_MORE}/nola-ext:HoldWithoutBond",), YES_NO),
        Row("bond_no", ("bond/nc:ActivityIdentification/nc:IdentificationID",), CODE),
        Row("amount_cents", ("bond/j:BailBondAmount/nc:Amount",), CENTS, note="sealed"),
        Row("paid_cents", (f"{_MORE}/nola-ext:BondPaidAmount/nc:Amount",), CENTS, note="sealed"),
    ),
    defaults=(
        Default(
            "status",
            "posted",
            "an amount was paid",
            Condition("an amount was paid", (f"{_MORE}/nola-ext:BondPaidAmount/nc:Amount",), PAID),
        ),
        Default("status", "set", "the status has no phrase that is known, and nothing was paid"),
    ),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:BondUpdateExchange",
    title="Bond update",
    agency=Agency.CRIM,
    events=(UPDATED,),
    operation=("document/nc:CourtCase", f"{_CHARGE}/hs:ChargeAugmentation/j:BailBond"),
)
