"""Booking and release: one schema for both messages; what the release part says tells them apart.

A message that says *released* is the release alone: the booking was told by its own message, and telling it again
would open its obligations again. A message with a scheduled release tells the coming release beside the booking.
"""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.charges import CHARGE_ROWS, INDICATORS
from services.adapters.niem.conversions import CODE, HOLD, RELEASE, TIME, YES_NO
from services.adapters.niem.jtmp.numbers import control, docket, folder, incident, tracking
from services.adapters.niem.table import Condition, DocumentTable, EventTable, Family, Items, Row

_RELEASE = "booking/j:BookingRelease"
_ARREST = "booking/j:Arrest"

RELEASED = Condition(
    "the release is said to be completed",
    (f"{_RELEASE}/nc:ActivityCompletedIndicator",),
    YES_NO,
    frozenset({True}),
)
NOT_RELEASED = Condition("no release is said to be completed", RELEASED.paths, YES_NO, frozenset({True}), negated=True)

_NUMBERS = (
    folder("booking/j:BookingDocumentControlIdentification/nc:IdentificationID"),
    control("booking/j:BookingAgencyRecordIdentification/nc:IdentificationID"),
    tracking(f"{_ARREST}/j:ArrestCharge"),
    incident(
        f"{_ARREST}/j:ArrestCharge/j:ChargeIdentification/nc:IdentificationID",
        f"{_ARREST}/nola-ext:ArrestAugmentation/nc:Incident/nc:ActivityIdentification/nc:IdentificationID",
    ),
    docket("document/nc:Case/nc:CaseDocketID", "document/nc:CourtCase/nc:CaseDocketID"),
)
_SUBJECTS = ("booking/j:BookingSubject/nc:RoleOfPerson",)
_CHARGE_WORDS = Row(
    "charge_words",
    (
        f"{_ARREST}/j:ArrestCharge/j:ChargeStatute/j:StatuteCodeIdentification/nc:IdentificationID",
        f"{_ARREST}/j:ArrestCharge/j:ChargeStatute/j:StatuteDescriptionText",
        f"{_ARREST}/j:ArrestCharge/j:ChargeStatute/j:StatuteText",
        f"{_ARREST}/j:ArrestCharge/j:ChargeDescriptionText",
    ),
    many=True,
    domestic=True,
    note="no field: read for the domestic-violence flag only",
)
_REASON = Row("reason", (f"{_RELEASE}/nc:ActivityComment/nc:CommentText", f"{_RELEASE}/nc:ActivityReasonText"), RELEASE)
_NEXT_COURT = Row(
    "next_court_at",
    (
        "document/nc:Case/j:CaseAugmentation/j:CaseCourtEvent/nc:ActivityDate/nc:DateTime",
        "document/nc:Case/j:CaseAugmentation/j:CaseCourtEvent/nc:ActivityDate/nc:Date",
    ),
    TIME,
)

BOOKED = EventTable(
    type="jail.booked",
    anchor="booking",
    anchor_paths=("document/j:Booking",),
    occurred_at=("booking/nc:ActivityDate/nc:DateTime", "booking/nc:ActivityDate/nc:Date"),
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=(
        Row(
            "hold_reason",
            (f"{_ARREST}/j:ArrestCategoryJABSCode", f"{_ARREST}/j:ArrestWarrant/j:WarrantCategoryCode"),
            HOLD,
        ),
        Row("arrested_at", (f"{_ARREST}/nc:ActivityDate/nc:DateTime", f"{_ARREST}/nc:ActivityDate/nc:Date"), TIME),
        Row(
            "facility",
            (
                "booking/j:BookingDetentionFacility/nc:FacilityIdentification/nc:IdentificationID",
                "booking/j:BookingAgency/j:OrganizationAugmentation/j:OrganizationORIIdentification/nc:IdentificationID",
            ),
            CODE,
        ),
    ),
    items=(Items("charges", (f"{_ARREST}/j:ArrestCharge",), CHARGE_ROWS),),
    indicators=INDICATORS,
    conditions=(NOT_RELEASED,),
)

RELEASE_PENDING = EventTable(
    type="custody.release_pending",
    anchor="booking",
    anchor_paths=("document/j:Booking",),
    occurred_at=BOOKED.occurred_at,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=(
        _REASON,
        Row(
            "earliest_at",
            (f"{_RELEASE}/nc:ActivityScheduledDate/nc:DateTime", f"{_RELEASE}/nc:ActivityScheduledDate/nc:Date"),
            TIME,
        ),
        _CHARGE_WORDS,
    ),
    indicators=INDICATORS,
    conditions=(
        NOT_RELEASED,
        Condition(
            "a release is scheduled",
            (f"{_RELEASE}/nc:ActivityScheduledDate/nc:DateTime", f"{_RELEASE}/nc:ActivityScheduledDate/nc:Date"),
            TIME,
        ),
    ),
)

CUSTODY_RELEASED = EventTable(
    type="custody.released",
    anchor="booking",
    anchor_paths=("document/j:Booking",),
    occurred_at=(f"{_RELEASE}/nc:ActivityDate/nc:DateTime", f"{_RELEASE}/nc:ActivityDate/nc:Date"),
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=(_REASON, _NEXT_COURT, _CHARGE_WORDS),
    indicators=INDICATORS,
    conditions=(RELEASED,),
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:BookingExchange",
    title="Booking and release",
    agency=Agency.JAIL,
    events=(BOOKED, RELEASE_PENDING, CUSTODY_RELEASED),
    operation=("document/j:Booking",),
)
