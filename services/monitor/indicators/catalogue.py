"""Every indicator there is."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from services.monitor.indicators import (
    access,
    notices,
    obligations,
    orders,
    outcome,
    police,
    prosecution,
    supervision,
)
from services.monitor.indicators.definition import Indicator

INDICATORS: tuple[Indicator, ...] = (
    *access.INDICATORS,
    *police.INDICATORS,
    *notices.INDICATORS,
    *obligations.INDICATORS,
    *orders.INDICATORS,
    *prosecution.INDICATORS,
    *supervision.INDICATORS,
    *outcome.INDICATORS,
)
"""In the order in which they are told."""
BY_KEY = {indicator.key: indicator for indicator in INDICATORS}


class UnknownIndicator(LookupError):
    """There is no indicator of that name; the message offers the nearest."""


def named(keys: Sequence[str]) -> tuple[Indicator, ...]:
    """The indicators with these names, all when none is given; raises `UnknownIndicator`."""
    for key in keys:
        if key not in BY_KEY:
            near = get_close_matches(key[:64], BY_KEY, n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(BY_KEY)}"
            raise UnknownIndicator(f"there is no indicator of that name; {hint}")
    return tuple(BY_KEY[key] for key in dict.fromkeys(keys)) if keys else INDICATORS
