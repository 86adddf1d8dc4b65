"""Lengths of time as a policy writer writes them: `30 min`, `36 h`, `5 d`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator

MAX_DAYS = 3650
"""Longest length of time a policy may state."""

_SHAPE = re.compile(r"(-?\d{1,6}) ?(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_WORDS = {"min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days")}


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time. Minutes and hours elapse; days are days of the calendar where a deadline counts them."""

    number: int
    unit: str
    """`min`, `h` or `d`."""

    @property
    def elapsed(self) -> timedelta:
        """The length with every day taken as 24 hours (look-back, ladder rungs, reminders)."""
        return self.number * _UNITS[self.unit]

    def __str__(self) -> str:
        one, many = _WORDS[self.unit]
        return f"{self.number} {one if abs(self.number) == 1 else many}"


ZERO = Span(0, "h")
"""No time at all."""


def parse_span(text: Any) -> Span:
    """`"36 h"` → Span(36, "h"), which is left as it is; raises `ValueError` that says what is expected."""
    if isinstance(text, Span):
        return text
    found = _SHAPE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("must be a number and a unit: min, h or d, for example 30 min, 36 h or 5 d")
    span = Span(int(found[1]), found[2])
    if abs(span.elapsed) > timedelta(days=MAX_DAYS):
        raise ValueError(f"must be at most {MAX_DAYS} days")
    return span


def _positive(text: Any) -> Span:
    span = parse_span(text)
    if span.number < 0:
        raise ValueError("must not be negative")
    return span


_Written = PlainSerializer(lambda span: f"{span.number} {span.unit}", return_type=str)
AnySpan = Annotated[Span, PlainValidator(parse_span), _Written]
"""Pydantic type: a span that may be negative (a warning before the due time)."""
Length = Annotated[Span, PlainValidator(_positive), _Written]
"""Pydantic type: a span of zero or more."""
