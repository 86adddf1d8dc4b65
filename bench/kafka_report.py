"""What the rounds say: tables for people, rows for JSON, and the goals."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from bench.figure import Figure
from bench.kafka_rounds import Measured

GOALS = {"quix": 1.5, "bytewax": 1.25, "faust_table": 20.0, "librdkafka": 1.0, "kafka_streams": 1.0}
"""Ours is to be at least so many times as quick (issue 5)."""


def times(measured: Sequence[Measured], other: Measured) -> list[float]:
    """How many times as quick ours is, round by round; empty when one of the two was not run."""
    ours = next((each for each in measured if each.way.name == "ours"), None)
    return ours.times_as_quick_as(other) if ours and ours.rates and other.rates else []


def compared(each: Measured, measured: Sequence[Measured]) -> dict[str, object]:
    """One way as a row of JSON."""
    ratios = times(measured, each)
    return {
        "way": each.way.name,
        "events_per_s": each.rate,
        "slowest_round": min(each.rates, default=None),
        "fastest_round": max(each.rates, default=None),
        "rounds_ended": len(each.rates),
        "events": each.events,
        "cpu_us_an_event": median(each.cpu_us) if each.cpu_us else None,
        "ours_is_times": median(ratios) if ratios else None,
        "durable": each.way.durable,
        "failed": each.failed,
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
        if each.way.name in GOALS and (ratios := times(measured, each))
    ]


def rates_table(measured: Sequence[Measured]) -> Table:
    """Medians and spread, the quickest first."""
    table = Table(title="events a second, the same events and fold")
    for heading in ("way", "median", "slowest", "fastest", "ours ×", "µs of processor", "events", "rounds"):
        table.add_column(heading, justify="left" if heading == "way" else "right", no_wrap=heading == "way")
    for each in sorted(measured, key=lambda one: -(one.rate or 0)):
        ratios, ended = times(measured, each), f"{len(each.rates)} of {len(each.by_round)}"
        if each.rate is None:
            table.add_row(each.way.name, "none", "", "", "", "", f"{each.events:,}", ended)
            continue
        table.add_row(
            each.way.name,
            f"{each.rate:,.0f}",
            f"{min(each.rates):,.0f}",
            f"{max(each.rates):,.0f}",
            f"{median(ratios):.2f}" if ratios else "",
            f"{median(each.cpu_us):.1f}",
            f"{each.events:,}",
            ended,
        )
    return table


def durable_table(measured: Sequence[Measured]) -> Table:
    """What each way makes durable, and when; and why one failed."""
    table = Table(title="what is durable when")
    table.add_column("way", no_wrap=True)
    table.add_column("durable")
    for each in measured:
        table.add_row(each.way.name, each.way.durable + (f"\nFAILED: {each.failed}" if each.failed else ""))
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
