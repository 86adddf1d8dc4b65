"""Answers to protocol links, corrections, moves between cases, findings and policies: what keeps the log itself."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StringConstraints

from ccr_events.agencies import Agency
from ccr_events.codes.backbone import (
    AlertChannel,
    CompletionOutcome,
    MergeCause,
    RetractionReason,
    Trail,
    WaiverReason,
)
from ccr_events.codes.response import ReceiptStatus
from ccr_events.labels import OPS, Label, sealed
from ccr_events.payload import (
    MAX_LIST,
    Code,
    Instant,
    LongText,
    Reference,
    RoleName,
    ShortText,
    SourceDocument,
)
from ccr_events.registry import event_type
from ccr_events.types.unnamed import Unnamed

PolicyRef = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*$")]
"""A written policy and its version, such as `jail@1.1.0`; written as in the envelope's `policyref`."""
MAX_STEPS = 1000
"""Bound on the number of an escalation step or reminder."""


class _Answer(Unnamed):
    link_id: Annotated[Code, OPS]
    role: Annotated[RoleName, OPS]
    """The role of the publishing agency in which it is said."""


@event_type("link.acknowledged", publishers=tuple(Agency))
class LinkAcknowledged(_Answer):
    """A practitioner has received what a protocol link asks."""

    status: Annotated[ReceiptStatus | None, OPS] = None


@event_type("link.completed", publishers=tuple(Agency))
class LinkCompleted(_Answer):
    """A practitioner did what a protocol link asks and no other event tells."""

    outcome: Annotated[CompletionOutcome, OPS] = CompletionOutcome.DONE
    note: Annotated[ShortText | None, sealed(Label.CJI)] = None


@event_type("link.waived", publishers=tuple(Agency))
class LinkWaived(_Answer):
    """A role that may do so let a protocol link go, with the reason."""

    reason: Annotated[WaiverReason, OPS]
    policy_ref: Annotated[PolicyRef | None, OPS] = None
    """The written policy that allows it."""
    note: Annotated[ShortText | None, sealed(Label.CJI)] = None


@event_type("link.notified", publishers=())
class LinkNotified(Unnamed):
    """An alert for a protocol link was delivered to an agency for the first time."""

    link_id: Annotated[Code, OPS]
    agency: Annotated[Agency, OPS]
    step: Annotated[int, OPS] = Field(default=0, ge=0, le=MAX_STEPS)
    channel: Annotated[AlertChannel, OPS]


@event_type("link.deadline_reached", publishers=())
class LinkDeadlineReached(Unnamed):
    """The due time of a protocol link, or of a step of its ladder, has come."""

    link_id: Annotated[Code, OPS]
    step: Annotated[int, OPS] = Field(ge=0, le=MAX_STEPS)
    """0 is the due time itself."""
    due_at: Annotated[Instant, OPS]


@event_type("event.retracted", publishers=tuple(Agency))
class EventRetracted(Unnamed):
    """A publisher withdraws its own event, named by the envelope's `corrects`."""

    reason: Annotated[RetractionReason, OPS]


@event_type("case.merged", publishers=(Agency.CCR,))
class CaseMerged(Unnamed):
    """This case and another are one: its facts go on in the other."""

    into: Annotated[Code, OPS]
    cause: Annotated[MergeCause | None, OPS] = None


@event_type("case.split", publishers=(Agency.CCR,))
class CaseSplit(Unnamed):
    """Facts with these references belong to another case."""

    into: Annotated[Code, OPS]
    moved: Annotated[tuple[Reference, ...], OPS] = Field(min_length=1, max_length=MAX_LIST)


@event_type("case.absorbed", publishers=())
class CaseAbsorbed(Unnamed):
    """A fact of another case, carried here by a merge or a split."""

    origin_case: Annotated[Code, OPS]
    rule_id: Annotated[Code, OPS]
    """Id of the event that moves it."""
    fact_id: Annotated[Code, OPS]
    fact_type: Annotated[Code, OPS]
    agency: Annotated[Agency, OPS]
    occurred_at: Annotated[Instant, OPS]
    recorded_at: Annotated[Instant, OPS]
    edition: Annotated[Code, OPS]
    data_json: Annotated[SourceDocument, OPS]
    """The fact's open skeleton as JSON; nothing sealed travels."""
    corrects: Annotated[Code | None, OPS] = None
    told_with: Annotated[Code | None, OPS] = None
    """Id of the last event of the move, when links move: only with it are they told."""
    links_json: Annotated[SourceDocument | None, OPS] = None
    """On the last event of the move: its links as they were told last, as JSON."""


@event_type("case.absorption_ended", publishers=())
class CaseAbsorptionEnded(Unnamed):
    """A merge or split was undone: what it carried here no longer counts."""

    origin_case: Annotated[Code, OPS]
    rule_id: Annotated[Code, OPS]
    links_json: Annotated[SourceDocument | None, OPS] = None
    """The links that go back, as they are from now on, as JSON."""


@event_type("gap.recorded", publishers=(Agency.CCR,))
class GapRecorded(Unnamed):
    """A finding about how work between agencies is organised; never about a worker."""

    trail: Annotated[Trail, OPS]
    rules: Annotated[tuple[Code, ...], OPS] = Field(default=(), max_length=MAX_LIST)
    """Keys of the protocol links it concerns."""
    agencies: Annotated[tuple[Agency, ...], OPS] = Field(default=(), max_length=MAX_LIST)
    finding: Annotated[LongText | None, sealed(Label.AGG)] = None
    recommendation: Annotated[LongText | None, sealed(Label.AGG)] = None


@event_type("policy.published", publishers=(Agency.CCR,))
class PolicyPublished(Unnamed):
    """A version of a written policy was published."""

    policy: Annotated[Code, OPS]
    version: Annotated[Code, OPS]
    effective_on: Annotated[date, OPS]
    chapter: Annotated[Agency | None, OPS] = None
    """The agency it speaks to."""
    digest: Annotated[Code | None, OPS] = None
    """Digest of the document, as its signers saw it."""
