"""Indicators as they are told: small cells hidden, so that no number leads back to a person.

Fewer than `smallest` of anything is told as "<n", zero included: whoever knows the county could tell who the one is
(domain sheet 4.2: fewer than 6, marked P, local policy decides). Where all but a few are counted, those few are hidden
the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.monitor.indicators.definition import Indicator, Unit
from services.monitor.indicators.spread import Spread
from services.monitor.indicators.tally import Share, Tally

SMALLEST_CELL = 6
"""Fewest of anything that is told [P]."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One value of one indicator. A number that is hidden, or that there is none of, is None."""

    key: str
    chapter: str
    title: str
    unit: str
    agency: str
    """Who owes; empty when it is about all."""
    value: float | None = None
    """Count or percentage; of lengths of time the median."""
    p90: float | None = None
    """Of lengths of time: nine of ten took no longer."""
    count: int | None = None
    of: int | None = None
    """The denominator; of lengths of time, how many there are."""
    hidden: bool = False
    """Whether something of it is hidden because it counts too few."""
    text: str = ""
    """In words."""


def shown(tally: Tally, indicators: Sequence[Indicator], smallest: int = SMALLEST_CELL) -> Iterator[Shown]:
    """Every value, in the order of the indicators, then of agencies. An indicator without a value is told too."""
    for indicator in indicators:
        agencies = sorted({a for key, a in (*tally.shares, *tally.spreads) if key == indicator.key})
        for agency in agencies or ([] if indicator.by_agency else [""]):
            place = (indicator.key, agency)
            if indicator.unit.length is not None:
                yield _length(indicator, agency, tally.spreads.get(place, Spread()), smallest)
            else:
                yield _share(indicator, agency, tally.shares.get(place, Share()), smallest)


def few(count: int, smallest: int) -> bool:
    """Whether a count is too small to be told."""
    return smallest > 1 and count < smallest


def told(count: int, smallest: int = SMALLEST_CELL) -> str:
    """A count, or that it is too small."""
    return f"<{smallest}" if few(count, smallest) else f"{count:,}"


def _share(indicator: Indicator, agency: str, share: Share, smallest: int) -> Shown:
    if indicator.unit is Unit.COUNT:
        hidden = few(share.count, smallest)
        count = None if hidden else share.count
        return _row(indicator, agency, value=count, count=count, hidden=hidden, text=told(share.count, smallest))
    if few(share.of, smallest):
        return _row(indicator, agency, hidden=True, text=f"of <{smallest}")
    if share.of == 0:
        return _row(indicator, agency, of=0, text="none")
    if few(share.count, smallest):
        most = _percent(smallest, share.of)
        return _row(
            indicator, agency, of=share.of, hidden=True, text=f"<{most}{_sign(indicator)} (<{smallest} of {share.of:,})"
        )
    if indicator.unit is Unit.PERCENT and few(share.of - share.count, smallest):
        least = _percent(share.of - smallest, share.of)
        return _row(
            indicator, agency, of=share.of, hidden=True, text=f">{least} % (all but <{smallest} of {share.of:,})"
        )
    value = _percent(share.count, share.of)
    text = f"{value}{_sign(indicator)} ({share.count:,} of {share.of:,})"
    return _row(indicator, agency, value=value, count=share.count, of=share.of, text=text)


def _length(indicator: Indicator, agency: str, spread: Spread, smallest: int) -> Shown:
    n, unit = spread.n, indicator.unit.length
    half, most = spread.quantile(0.5), spread.quantile(0.9)
    if few(n, smallest):
        return _row(indicator, agency, hidden=True, text=f"of <{smallest}")
    if unit is None or half is None or most is None:
        return _row(indicator, agency, of=0, text="none")
    p50, p90 = round(half / unit, 1), round(most / unit, 1)
    text = f"{p50:g} {indicator.unit}, 9 of 10 within {p90:g} ({n:,})"
    return _row(indicator, agency, value=p50, p90=p90, of=n, text=text)


def _row(
    indicator: Indicator,
    agency: str,
    *,
    value: float | None = None,
    p90: float | None = None,
    count: int | None = None,
    of: int | None = None,
    hidden: bool = False,
    text: str = "",
) -> Shown:
    return Shown(
        indicator.key,
        indicator.chapter,
        indicator.title,
        indicator.unit.value,
        agency,
        value,
        p90,
        count,
        of,
        hidden,
        text,
    )


def _percent(count: int, of: int) -> float:
    return round(100 * count / of, 1)


def _sign(indicator: Indicator) -> str:
    return " %" if indicator.unit is Unit.PERCENT else " per 100 cases"
