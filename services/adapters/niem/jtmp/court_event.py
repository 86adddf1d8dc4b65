"""Court event: published when a hearing is scheduled (`add`) or its particulars change (`update`).

The document tells when the hearing is, seldom when it was set; the time of receipt then stands in, or the hearing's
own time when that is earlier.
"""

from __future__ import annotations

from ccr_events.agencies import Agency
from services.adapters.niem.charges import INDICATORS
from services.adapters.niem.conversions import CODE, HEARING, SHORT, TIME
from services.adapters.niem.jtmp.numbers import docket
from services.adapters.niem.table import Condition, Default, DocumentTable, EventTable, Family, Paths, Row

_CASE = "event/j:CourtEventCase"
_UPDATE = frozenset({"update"})
_OPERATION: Paths = ("operation",)
_AT: Paths = (
    "event/j:CourtEventSchedule/nc:ScheduleDate/nc:DateTime",
    "event/j:CourtEventSchedule/nc:ScheduleDate/nc:Date",
    "event/j:CourtEventSchedule/nc:ScheduleDayStartTime/nc:DateTime",
)
_OCCURRED: Paths = ("event/nc:ActivityDate/nc:DateTime", "event/nc:ActivityDate/nc:Date")
_NUMBERS = (docket(f"{_CASE}/nc:CaseDocketID", "document/nc:CourtCase/nc:CaseDocketID"),)
_SUBJECTS: Paths = (f"{_CASE}/j:CaseAugmentation/j:CaseDefendantParty/nc:EntityPerson",)
_ROWS = (
    Row(
        "kind",
        (
            "event/nola-ext:CourtEventAugmentation/nola-ext:CourtEventTypeText",
            "event/nola-ext:CourtEventAugmentation/nola-ext:CourtEventTypeCode",
            f"{_CASE}/nola-ext:CaseAugmentation/nola-ext:CourtCaseEventTypeCode",
            "event/nc:ActivityCategoryText",
        ),
        HEARING,
    ),
    Row("at", _AT, TIME, required=True),
    Row("room", ("event/j:CourtEventCourt/nc:OrganizationLocation/nc:LocationPart/nc:LocationRoomText",), CODE),
)
_KIND = Default("kind", "other", "the document names no type")

SCHEDULED = EventTable(
    type="hearing.scheduled",
    anchor="event",
    anchor_paths=("document/j:CourtEvent",),
    occurred_at=_OCCURRED,
    time_of_receipt=True,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=_ROWS,
    defaults=(_KIND,),
    indicators=INDICATORS,
    conditions=(Condition("the message operation is not update", _OPERATION, SHORT, _UPDATE, negated=True),),
)

CONTINUED = EventTable(
    type="hearing.continued",
    anchor="event",
    anchor_paths=("document/j:CourtEvent",),
    occurred_at=_OCCURRED,
    time_of_receipt=True,
    numbers=_NUMBERS,
    subjects=_SUBJECTS,
    rows=_ROWS,
    defaults=(_KIND,),
    indicators=INDICATORS,
    conditions=(Condition("the message operation is update", _OPERATION, SHORT, _UPDATE),),
)

DOCUMENT = DocumentTable(
    family=Family.JTMP,
    root="nola:CourtEventExchange",
    title="Court event",
    agency=Agency.CRIM,
    events=(SCHEDULED, CONTINUED),
    operation=("document/j:CourtEvent", "document/j:CourtEvent/j:CourtEventSchedule"),
)
