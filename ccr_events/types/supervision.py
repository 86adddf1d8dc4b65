"""Pretrial services, probation and parole, and the court's answer to violations.

What a victim told an agent is marked `source_protected`: it must not be traceable when a man is confronted with it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.courts import BailRecommendation
from ccr_events.codes.supervision import (
    Compliance,
    ContactKind,
    Sanction,
    SupervisionCondition,
    SupervisionLevel,
    ViolationKind,
    ViolationOutcome,
)
from ccr_events.labels import OPS, Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, LongText, Payload, ShortText
from ccr_events.registry import event_type


@event_type("bail.evaluated", publishers=(Agency.PROB,))
class BailEvaluated(Payload):
    """Pretrial services evaluated a defendant for the judge."""

    tool: Annotated[Code | None, OPS] = None
    recommendation: Annotated[BailRecommendation | None, clear(Label.CJI)] = None
    score: Annotated[int | None, sealed(Label.RISK)] = Field(default=None, ge=0, le=1000)
    victim_input_ref: Annotated[Code | None, sealed(Label.RISK)] = None
    """Where the victim's own account is kept."""


@event_type("probation.opened", publishers=(Agency.PROB,))
class ProbationOpened(Payload):
    """Supervision of a person began."""

    level: Annotated[SupervisionLevel | None, clear(Label.CJI)] = None
    conditions: Annotated[tuple[SupervisionCondition, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    officer: Annotated[ShortText | None, sealed(Label.OPS)] = None
    """Sealed: no worker is named outside their own agency."""
    risk: Annotated[ShortText | None, sealed(Label.RISK)] = None


@event_type("probation.contact_recorded", publishers=(Agency.PROB,))
class ProbationContactRecorded(Payload):
    """An agent had contact with a supervised person or about him."""

    kind: Annotated[ContactKind, clear(Label.CJI)]
    compliance: Annotated[Compliance | None, clear(Label.CJI)] = None
    source_protected: Annotated[bool | None, sealed(Label.RISK)] = None
    """Part of it came from the victim; sealed, since the flag itself would tell."""
    note: Annotated[LongText | None, sealed(Label.RISK)] = None


@event_type("violation.alleged", publishers=(Agency.PROB, Agency.LE, Agency.BIP))
class ViolationAlleged(Payload):
    """An agency reported to the court that conditions were violated."""

    kind: Annotated[ViolationKind, clear(Label.CJI)]
    source_protected: Annotated[bool | None, sealed(Label.RISK)] = None
    """Part of it came from the victim; sealed, since the flag itself would tell."""
    facts: Annotated[LongText | None, sealed(Label.CJI)] = None
    """What the court is to know, written so that nothing in it leads back to a protected source."""


@event_type("violation.disposed", publishers=(Agency.CRIM,))
class ViolationDisposed(Payload):
    """The court decided on an alleged violation."""

    outcome: Annotated[ViolationOutcome, clear(Label.CJI)]
    sanction: Annotated[Sanction | None, clear(Label.CJI)] = None
