"""Bars of events a second, the quickest on top, with the slowest and the fastest round. Rows come on standard input."""

from __future__ import annotations

import json
import sys

import matplotlib

matplotlib.use("svg" if sys.argv[1].endswith(".svg") else "agg")
from matplotlib import pyplot

OURS, OTHERS, FOLD = "#1b7f5c", "#8a94a6", "#d5dae3"


def draw(rows: list[dict], path: str) -> None:
    """Draw; the fold alone is no engine and would push all others together, so its bar is cut."""
    engines = [row for row in rows if row["way"] != "fold"]
    right = max(row["fastest"] for row in engines or rows) * 1.18
    figure, axes = pyplot.subplots(figsize=(9, 0.42 * len(rows) + 1.2), layout="constrained")
    for place, row in enumerate(rows):
        colour = {"ours": OURS, "fold": FOLD}.get(row["way"], OTHERS)
        length = min(row["median"], right)
        axes.barh(place, length, color=colour, height=0.66)
        if row["way"] != "fold":
            axes.errorbar(
                row["median"],
                place,
                xerr=[[row["median"] - row["slowest"]], [row["fastest"] - row["median"]]],
                color="#222",
                capsize=3,
                linewidth=1,
            )
        times = "" if row["times"] is None or row["way"] in ("ours", "fold") else f"   ours × {row['times']:.2f}"
        cut = " (cut)" if row["median"] > right else ""
        inside = row["median"] > right * 0.3
        axes.text(
            right * 0.008 if inside else row["fastest"] + right * 0.015,
            place,
            f"{row['median']:,.0f}{times}{cut}",
            va="center",
            fontsize=9,
            color="white" if inside and row["way"] != "fold" else "#222",
        )
    axes.set_yticks(range(len(rows)), [row["way"].replace("_", " ") for row in rows])
    axes.set_xlim(0, right)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("events a second (median; line: slowest to fastest round)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120, metadata={"Date": None} if path.endswith(".svg") else None)


matplotlib.rcParams["svg.hashsalt"] = "bench-kafka"
matplotlib.rcParams["svg.fonttype"] = "none"
draw(json.load(sys.stdin), sys.argv[1])
