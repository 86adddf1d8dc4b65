"""Criminal court: files, bail, conditions of release, no-contact orders, pleas, verdicts, sentences."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.agencies import Agency
from ccr_events.codes.courts import (
    BailStatus,
    CourtCaseKind,
    CourtOrderKind,
    Plea,
    ReleaseCondition,
    SentenceCondition,
    Stay,
    Verdict,
)
from ccr_events.codes.orders import NoContactKind, OrderChangeCause
from ccr_events.labels import Label, clear, sealed
from ccr_events.payload import MAX_LIST, Code, Instant, LongText, Payload, ShortText
from ccr_events.registry import event_type
from ccr_events.types.charges import Charge
from ccr_events.types.order_terms import MAX_CENTS, OrderConditions


@event_type("court.case_opened", publishers=(Agency.CRIM, Agency.CIV))
class CourtCaseOpened(Payload):
    """A court opened a file."""

    kind: Annotated[CourtCaseKind, clear(Label.CJI)]
    counts: Annotated[tuple[Charge, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    title: Annotated[ShortText | None, sealed(Label.CJI)] = None
    """The file's caption; it names people."""


@event_type("court.order_entered", publishers=(Agency.CRIM, Agency.CIV))
class CourtOrderEntered(Payload):
    """A court entered an order that its system does not further describe.

    An order known to restrain or release somebody is published as what it is (`nco.issued`,
    `release.conditions_set`, `ofp.granted` …), since other agencies' duties hang on it.
    """

    kind: Annotated[CourtOrderKind, clear(Label.CJI)] = CourtOrderKind.OTHER
    effective_at: Annotated[Instant | None, clear(Label.CJI)] = None
    title: Annotated[ShortText | None, sealed(Label.CJI)] = None
    full_text: Annotated[LongText | None, sealed(Label.CJI)] = None


@event_type("bail.updated", publishers=(Agency.CRIM, Agency.JAIL))
class BailUpdated(Payload):
    """Bail or bond was set, posted or taken back."""

    status: Annotated[BailStatus, clear(Label.CJI)]
    hold_without_bail: Annotated[bool | None, clear(Label.CJI)] = None
    bond_no: Annotated[Code | None, clear(Label.CJI)] = None
    amount_cents: Annotated[int | None, sealed(Label.FIN)] = Field(default=None, ge=0, le=MAX_CENTS)
    paid_cents: Annotated[int | None, sealed(Label.FIN)] = Field(default=None, ge=0, le=MAX_CENTS)


@event_type("release.conditions_set", publishers=(Agency.CRIM,))
class ReleaseConditionsSet(OrderConditions):
    """A judge set conditions of release before trial."""

    conditions: Annotated[tuple[ReleaseCondition, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    written_order_ref: Annotated[Code | None, clear(Label.CJI)] = None
    bail_cents: Annotated[int | None, sealed(Label.FIN)] = Field(default=None, ge=0, le=MAX_CENTS)


class _NoContactOrder(OrderConditions):
    kind: Annotated[NoContactKind | None, clear(Label.CJI)] = None
    conditions: Annotated[tuple[ReleaseCondition, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    """What is ordered, where the court writes it in the words of release conditions."""


@event_type("nco.issued", publishers=(Agency.CRIM,))
class NoContactOrderIssued(_NoContactOrder):
    """A court issued a domestic abuse no-contact order."""


@event_type("nco.modified", publishers=(Agency.CRIM,))
class NoContactOrderModified(_NoContactOrder):
    """A court changed the terms of a no-contact order."""

    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None


@event_type("nco.cancelled", publishers=(Agency.CRIM,))
class NoContactOrderCancelled(Payload):
    """A court ended a no-contact order."""

    kind: Annotated[NoContactKind | None, clear(Label.CJI)] = None
    cause: Annotated[OrderChangeCause | None, clear(Label.CJI)] = None


@event_type("plea.entered", publishers=(Agency.CRIM,))
class PleaEntered(Payload):
    """A defendant entered a plea."""

    plea: Annotated[Plea, clear(Label.CJI)]
    count: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=9999)
    stay: Annotated[Stay | None, clear(Label.CJI)] = None


@event_type("verdict.entered", publishers=(Agency.CRIM,))
class VerdictEntered(Payload):
    """A court or jury reached a verdict."""

    verdict: Annotated[Verdict, clear(Label.CJI)]
    count: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=9999)
    stay: Annotated[Stay | None, clear(Label.CJI)] = None


@event_type("sentence.imposed", publishers=(Agency.CRIM,))
class SentenceImposed(Payload):
    """A court imposed a sentence."""

    jail_days: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=40_000)
    probation_months: Annotated[int | None, clear(Label.CJI)] = Field(default=None, ge=0, le=1200)
    conditions: Annotated[tuple[SentenceCondition, ...], clear(Label.CJI)] = Field(default=(), max_length=MAX_LIST)
    stay: Annotated[Stay | None, clear(Label.CJI)] = None
    restitution_cents: Annotated[int | None, sealed(Label.FIN)] = Field(default=None, ge=0, le=MAX_CENTS)
