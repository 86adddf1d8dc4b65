"""Charge filing: the prosecutor's decision on the charges of each arrest, one defendant each.

With several defendants `j:Arrest` refers to its `j:CaseDefendantParty`, and the court case around that party is the
arrest's. Refused charges are told apart from filed ones, since a victim is owed the news of a refusal.
"""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.charges import CHARGE_ROWS, INDICATORS
from services.adapters.niem.conversions import SCREENING
from services.adapters.niem.jtmp.numbers import control, docket, folder, incident, tracking
from services.adapters.niem.table import Condition, DocumentTable, EventTable, Family, Items

_CHARGE = "arrest/j:ArrestCharge"
_DISPOSITION = ("item/nola-ext:ChargeAugmentation/nola-ext:ChargeDispositionCode",)
_SCREENED = "document/nola-ext:ProsecutionCase/nola-ext:ProsecutionCaseScreenedDate"
_RECEIVED = "arrest/nola-ext:ArrestAugmentation/nola-ext:ArrestReceivedDate"
_OCCURRED = (
    f"{_SCREENED}/nc:DateTime",
    f"{_SCREENED}/nc:Date",
    f"{_RECEIVED}/nc:DateTime",
    f"{_RECEIVED}/nc:Date",
)
_NUMBERS = (
    docket("case/nc:CaseDocketID"),
    incident(
        f"{_CHARGE}/nola-ext:ChargeAugmentation/nola-ext:ArrestIncident/nc:ActivityIdentification/nc:IdentificationID"
    ),
    folder("arrest/nola-ext:ArrestAugmentation/j:BookingDocumentControlIdentification/nc:IdentificationID"),
    control("arrest/nola-ext:ArrestAugmentation/j:BookingAgencyRecordIdentification/nc:IdentificationID"),
    tracking(_CHARGE),
)
_CASE = (("case", ("arrest/^nc:CourtCase", "document/nc:CourtCase")),)
_SUBJECTS = (
    "arrest/nc:EntityPerson",
    "case/j:CaseAugmentation/j:CaseDefendantParty/nc:EntityPerson",
)
_REFUSED = Condition("the charge is refused", _DISPOSITION, SCREENING, frozenset({"refused"}))
_NOT_REFUSED = Condition("the charge is not refused", _DISPOSITION, SCREENING, frozenset({"refused"}), negated=True)

FILED = EventTable(
    type="charge.filed",
    anchor="arrest",
    anchor_paths=("document/j:Arrest",),
    also=_CASE,
    occurred_at=_OCCURRED,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    items=(Items("counts", (_CHARGE,), CHARGE_ROWS, only=_NOT_REFUSED, required=True),),
    indicators=INDICATORS,
)

DECLINED = EventTable(
    type="charge.declined",
    anchor="arrest",
    anchor_paths=("document/j:Arrest",),
    also=_CASE,
    occurred_at=_OCCURRED,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    items=(Items("counts", (_CHARGE,), CHARGE_ROWS, only=_REFUSED, required=True),),
    indicators=INDICATORS,
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:ChargeFilingExchange",
    title="Charge filing",
    agency=Agency.PROS,
    events=(FILED, DECLINED),
    operation=("document/j:Arrest",),
)
