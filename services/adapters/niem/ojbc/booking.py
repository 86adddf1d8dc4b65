"""Booking report of OJBC: persons, charges and arrests stand beside the booking and are referred to by id."""

from __future__ import annotations

from ccr_events.agencies import Agency
from ccr_events.payload import ReferenceKind
from services.adapters.niem.charges import CHARGE_ROWS, INDICATORS
from services.adapters.niem.conversions import CODE, HOLD, TIME
from services.adapters.niem.table import DocumentTable, EventTable, Family, Items, Number, Row

BOOKING_NUMBERS = (
    "booking/j:BookingAgencyRecordIdentification/nc:IdentificationID",
    "booking/nc:ActivityIdentification/nc:IdentificationID",
)
"""The jail's own number; reports of before 2015 have it as the subject's."""
SUBJECT_NUMBER = "booking/j:BookingSubject/j:SubjectIdentification/nc:IdentificationID"

NUMBERS = (
    Number(ReferenceKind.BOOKING, (*BOOKING_NUMBERS, SUBJECT_NUMBER), first=True),
    Number(
        ReferenceKind.COURT_CASE,
        (
            "booking/~j:ActivityCaseAssociation/nc:Case/nc:CaseDocketID",
            "document/nc:Case/nc:CaseDocketID",
            "custody/nc:Case/nc:CaseDocketID",
        ),
    ),
    Number(
        ReferenceKind.INCIDENT,
        (
            "document/nc:Incident/nc:ActivityIdentification/nc:IdentificationID",
            "custody/nc:Incident/nc:ActivityIdentification/nc:IdentificationID",
        ),
    ),
)
SUBJECTS = (
    "booking/j:BookingSubject/nc:RoleOfPerson",
    "custody/nc:Release/nc:ReleasePerson",
    "booking/j:BookingRelease/nc:ReleasePerson",
)

BOOKED = EventTable(
    type="jail.booked",
    anchor="booking",
    anchor_paths=("document/j:Booking", "document/ojbc-ext:Custody/j:Booking"),
    occurred_at=("booking/nc:ActivityDate/nc:DateTime", "booking/nc:ActivityDate/nc:Date"),
    numbers=NUMBERS,
    subjects=SUBJECTS,
    rows=(
        Row("hold_reason", ("booking/j:Arrest/nc:ActivityCategoryText",), HOLD),
        Row(
            "arrested_at",
            ("booking/j:Arrest/nc:ActivityDate/nc:DateTime", "booking/j:Arrest/nc:ActivityDate/nc:Date"),
            TIME,
        ),
        Row(
            "facility",
            (
                "booking/j:BookingDetentionFacility/nc:FacilityIdentification/nc:IdentificationID",
                "booking/j:BookingFacility/nc:FacilityIdentification/nc:IdentificationID",
            ),
            CODE,
        ),
    ),
    items=(Items("charges", ("booking/j:Arrest/j:ArrestCharge", "document/j:Charge"), CHARGE_ROWS),),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.OJBC,
    root="ojbc:BookingReport",
    title="Booking report",
    agency=Agency.JAIL,
    events=(BOOKED,),
)
