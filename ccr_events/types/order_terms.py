"""What a court's order says to those who must keep and enforce it; part of several payloads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ccr_events.codes.ncic import ProtectionOrderCondition
from ccr_events.labels import Label, clear, sealed
from ccr_events.payload import Instant, LongText, Payload

MAX_CENTS = 100_000_000_000
"""Bound on every amount of money in a payload, in cents."""

Conditions = Annotated[tuple[ProtectionOrderCondition, ...], Field(min_length=1, max_length=16)]
"""NCIC condition codes; left out rather than empty when the court gave none."""


class OrderConditions(Payload):
    """An order's conditions as codes and in full: a code alone loses detail and nuance (Minnesota, 2016)."""

    pco: Annotated[Conditions | None, clear(Label.CJI)] = None
    effective_at: Annotated[Instant | None, clear(Label.CJI)] = None
    expires_at: Annotated[Instant | None, clear(Label.CJI)] = None
    full_text: Annotated[LongText | None, sealed(Label.CJI)] = None
