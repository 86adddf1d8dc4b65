"""What the rounds say: tables for people, rows for JSON, and the goals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from bench.figure import Figure
from bench.kafka_rounds import Measured

GOALS = {"quix": 1.5, "bytewax": 1.25, "faust_table": 20.0, "librdkafka": 1.0, "kafka_streams": 1.0}
"""Ours is to be at least so many times as quick (issue 5)."""


def times(ours: Measured | None, other: Measured) -> list[float]:
    """How many times as quick ours is, round by round; empty when one of the two could not be run."""
    if ours is None or not ours.rates or not other.rates:
        return []
    return [mine / its for mine, its in zip(ours.rates, other.rates, strict=True)]


def compared(each: Measured, measured: Sequence[Measured]) -> dict[str, object]:
    """One way as a row of JSON."""
    ratios = times(_ours(measured), each)
    return {
        "way": each.way.name,
        "events_per_s": each.rate,
        "slowest_round": min(each.rates, default=None),
        "fastest_round": max(each.rates, default=None),
        "rounds": len(each.rates),
        "events": each.events,
        "cpu_us_an_event": median(each.cpu_us) if each.cpu_us else None,
        "ours_is_times": median(ratios) if ratios else None,
        "durable": each.way.durable,
        "refused": each.refused,
    }


def figures_of(measured: Sequence[Measured]) -> list[Figure]:
    """How many times as quick ours is as each way with a goal: the median of the rounds' ratios."""
    return [
        Figure(
            "rounds",
            f"ours against {each.way.name}",
            median(ratios),
            "times",
            GOALS[each.way.name],
            extra={"least": round(min(ratios), 2), "most": round(max(ratios), 2)},
        )
        for each in measured
        if each.way.name in GOALS and (ratios := times(_ours(measured), each))
    ]


def rates_table(measured: Sequence[Measured]) -> Table:
    """Medians and spread, the quickest first."""
    table = Table(title="events a second, the same events and fold")
    for heading in ("way", "median", "slowest", "fastest", "ours is times", "processor time", "events read"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for each in sorted(measured, key=lambda one: -(one.rate or 0)):
        ratios = times(_ours(measured), each)
        if each.rate is None:
            table.add_row(each.way.name, each.refused or "", "", "", "", "", "")
            continue
        table.add_row(
            each.way.name,
            f"{each.rate:,.0f}",
            f"{min(each.rates):,.0f}",
            f"{max(each.rates):,.0f}",
            f"{median(ratios):.2f}" if ratios else "",
            f"{median(each.cpu_us):.1f} µs an event",
            f"{each.events:,}",
        )
    return table


def durable_table(measured: Sequence[Measured]) -> Table:
    """What each way makes durable, and when."""
    table = Table(title="what is durable when")
    table.add_column("way")
    table.add_column("durable")
    for each in measured:
        table.add_row(each.way.name, each.way.durable)
    return table


def figures_table(figures: Sequence[Figure]) -> Table:
    """Figures beside their goals."""
    table = Table(title="figures and goals")
    for heading in ("part", "what", "figure", "unit", "goal", "reached", "also"):
        table.add_column(heading, justify="right" if heading in ("figure", "goal") else "left")
    for figure in figures:
        goal = "" if figure.goal is None else f"{'≤' if figure.lower_is_better else '≥'} {figure.goal:,g}"
        reached = {None: "", True: "yes", False: "no"}[figure.reached]
        also = ", ".join(f"{name} {value}" for name, value in figure.extra.items())
        value = f"{figure.value:,.4g}" if abs(figure.value) < 1_000 else f"{figure.value:,.0f}"
        table.add_row(figure.part, figure.what, value, figure.unit, goal, reached, also)
    return table


def _ours(measured: Sequence[Measured]) -> Measured | None:
    return next((each for each in measured if each.way.name == "ours"), None)
