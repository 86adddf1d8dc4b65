"""Child protection and supervised visitation: a pointer that something was reported, and no more."""

from __future__ import annotations

from typing import Annotated

from ccr_events.agencies import Agency
from ccr_events.codes.supervision import ReportMode, VisitIncidentKind, VisitSuspensionCause
from ccr_events.labels import Label, clear
from ccr_events.payload import Payload
from ccr_events.registry import event_type


@event_type("child.report_made", publishers=(Agency.LE, Agency.VISIT, Agency.CPS))
class ChildReportMade(Payload):
    """A report was made to child protection."""

    mode: Annotated[ReportMode, clear(Label.CHILD)]


@event_type("visit.incident", publishers=(Agency.VISIT,))
class VisitIncident(Payload):
    """Something happened at a supervised visit or exchange."""

    kind: Annotated[VisitIncidentKind | None, clear(Label.CHILD)] = None


@event_type("visit.suspended", publishers=(Agency.VISIT,))
class VisitSuspended(Payload):
    """Visits or exchanges were suspended."""

    cause: Annotated[VisitSuspensionCause | None, clear(Label.CHILD)] = None
