"""The men's nonviolence program: attendance, status and threats.

What is said in a session stays in the program's own store; statements of partners are never published.
Source: duty to report threats, Minn. Stat. 518B.02 s. 2.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.supervision import Conduct, ProgramStatus, ProgramStatusReason, ThreatKind
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import Code, Instant, LongText, Payload
from ccr_events.registry import event_type


@event_type("bip.referred", publishers=(Agency.PROB, Agency.CRIM))
class BipReferred(Payload):
    """A man was referred to a program."""

    program: Annotated[Code | None, OPS] = None
    due_by: Annotated[Instant | None, OPS] = None
    """By when he must have had his intake."""


@event_type("bip.intake_completed", publishers=(Agency.BIP,))
class BipIntakeCompleted(Payload):
    """He was taken into the program."""

    program: Annotated[Code | None, OPS] = None
    orientation_at: Annotated[Instant | None, OPS] = None


@event_type("bip.intake_missed", publishers=(Agency.BIP,))
class BipIntakeMissed(Payload):
    """He did not come to his intake."""

    program: Annotated[Code | None, OPS] = None
    due_by: Annotated[Instant | None, OPS] = None


@event_type("bip.session_recorded", publishers=(Agency.BIP,))
class BipSessionRecorded(Payload):
    """A session: whether he came, and how he behaved."""

    present: Annotated[bool, clear(Label.CJI)]
    excused: Annotated[bool, clear(Label.CJI)] = False
    """An absence the program accepts; one not said to be excused is not."""
    session_no: Annotated[int | None, OPS] = Field(default=None, ge=1, le=1000)
    """Which session of the course it was."""
    conduct: Annotated[Conduct | None, clear(Label.CJI)] = None


@event_type("bip.status_changed", publishers=(Agency.BIP,))
class BipStatusChanged(Payload):
    """His standing in the program changed."""

    status: Annotated[ProgramStatus, clear(Label.CJI)]
    reason: Annotated[ProgramStatusReason | None, clear(Label.CJI)] = None
    partner_notice_opt_out: Annotated[bool | None, clear(Label.VID)] = None
    """The partner does not want to hear of it."""


@event_type("bip.threat_reported", publishers=(Agency.BIP,))
class BipThreatReported(Payload):
    """The program reports a threat, violence or a violated order that a participant disclosed."""

    kind: Annotated[ThreatKind | None, clear(Label.RISK)] = None
    summary: Annotated[LongText | None, sealed(Label.RISK)] = None
    """What the participant said or did; never what a partner said."""
