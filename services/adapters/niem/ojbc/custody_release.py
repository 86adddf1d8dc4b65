"""Custody release report of OJBC: a person left custody."""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.charges import INDICATORS
from services.adapters.niem.conversions import RELEASE
from services.adapters.niem.ojbc.booking import NUMBERS, SUBJECTS
from services.adapters.niem.table import DocumentTable, EventTable, Family, Row

RELEASED = EventTable(
    type="custody.released",
    anchor="booking",
    anchor_paths=("document/ojbc-ext:Custody/j:Booking", "document/j:Booking"),
    also=(("custody", ("booking/^ojbc-ext:Custody", "document/ojbc-ext:Custody")),),
    occurred_at=(
        "custody/nc:Release/nc:ActivityDate/nc:DateTime",
        "custody/nc:Release/nc:ActivityDate/nc:Date",
        "booking/j:BookingRelease/nc:ActivityDate/nc:DateTime",
        "booking/j:BookingRelease/nc:ActivityDate/nc:Date",
        "custody/j:Detention/j:SupervisionAugmentation/j:SupervisionReleaseDate/nc:DateTime",
        "custody/j:Detention/j:SupervisionAugmentation/j:SupervisionReleaseDate/nc:Date",
    ),
    numbers=NUMBERS,
    subjects=SUBJECTS,
    rows=(
        Row(
            "reason",
            (
                "custody/nc:Release/ojbc-ext:ReleaseCondition/nc:ActivityDescriptionText",
                "custody/nc:Release/nc:ActivityReasonText",
                "booking/j:BookingRelease/nc:ActivityReasonText",
                "custody/nc:Release/nc:ActivityDescriptionText",
                "booking/j:BookingRelease/nc:ActivityDescriptionText",
            ),
            RELEASE,
        ),
    ),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.OJBC,
    root="ojbc:CustodyReleaseReport",
    title="Custody release report",
    agency=Agency.JAIL,
    events=(RELEASED,),
)
