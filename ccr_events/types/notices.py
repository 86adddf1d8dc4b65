"""Notices to victims. What is recorded is what the agency did; a channel that is not safe is never tried."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.notices import AttemptOutcome, Notice, NoticeChannel
from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, Model, Payload, ShortText
from ccr_events.registry import event_type


@event_type(
    "victim.notice_given",
    publishers=(Agency.LE, Agency.JAIL, Agency.PROS, Agency.CRIM, Agency.CIV, Agency.PROB, Agency.REG),
)
class VictimNoticeGiven(Payload):
    """An agency gave a victim the notice it owes."""

    notices: Annotated[tuple[Notice, ...], OPS] = Field(min_length=1, max_length=MAX_LIST)
    channel: Annotated[NoticeChannel | None, sealed(Label.VLOC)] = None
    """Sealed: it tells how she can be reached, and whether an advocate is in touch with her."""
    days_before: Annotated[int | None, OPS] = Field(default=None, ge=0, le=1000)
    """For a notice that an order expires: days left when it was given."""
    language: Annotated[Code | None, sealed(Label.VID)] = None


class Attempt(Model):
    """One attempt to tell the victim."""

    at: Annotated[Instant, OPS]
    channel: Annotated[NoticeChannel, sealed(Label.VLOC)]
    outcome: Annotated[AttemptOutcome, OPS]


@event_type("victim.release_notified", publishers=(Agency.JAIL,))
class VictimReleaseNotified(Payload):
    """The jail told the victim of a release, or tried."""

    reached: Annotated[bool, OPS]
    attempts_exhausted: Annotated[bool | None, OPS] = None
    """Every safe way that is on file was tried."""
    channel: Annotated[NoticeChannel | None, sealed(Label.VLOC)] = None
    """Sealed: it tells how she can be reached, and whether an advocate is in touch with her."""
    attempts: Annotated[tuple[Attempt, ...], OPS] = Field(default=(), max_length=MAX_LIST)
    notified_person: Annotated[ShortText | None, sealed(Label.VID)] = None
    """Who took the message."""
