"""`ccr status` and `ccr version`."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version as installed
from typing import Annotated, Any

import typer

from services.cli.options import DEFAULT_DATA, KEEP, AsJson, Data, Url

DISTRIBUTION = "ccr-backbone"
FIGURES = {
    "ccr_log_position": "log position",
    "ccr_outbox_position": "changes of links so far",
    "ccr_links_open": "links open",
    "ccr_links_overdue": "links overdue",
    "ccr_links_escalated": "links escalated",
    "ccr_deadlines_pending": "deadlines pending",
    "ccr_timer_lag_seconds": "timer behind, s",
    "ccr_quarantine_waiting": "in quarantine",
    "ccr_alert_subscribers": "listening",
}
"""Metric → what people call it; metrics with labels are summed."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=KEEP, epilog="Example: ccr status --json")(status)
    app.command(rich_help_panel=KEEP, epilog="Example: ccr version")(version)


def status(data: Data = DEFAULT_DATA, url: Url = None, as_json: AsJson = False) -> None:
    """Show whether the backbone is ready, how far its log is, and what is owed. Exit status 1 if it is not."""
    from services.cli.connection import connect
    from services.cli.printing import json_line, pairs

    with connect(data, url, keyless=True) as client:
        ready = client.ready()
        figures = _figures(client.text("/metrics"))
    reasons: Mapping[str, str] = ready.get("reasons", {})
    well = ready.get("status") == "ready"
    if as_json:
        json_line({"url": client.url, "ready": well, "reasons": reasons, **figures})
    else:
        rows: list[tuple[str, Any]] = [("backbone", client.url), ("ready", "yes" if well else "NO")]
        rows += list(reasons.items())
        rows += [(words, f"{figures[name]:,}") for name, words in FIGURES.items() if name in figures]
        pairs(rows)
    if not well:
        raise typer.Exit(1)


def version(as_json: Annotated[bool, typer.Option("--json", help="End with one line of JSON.")] = False) -> None:
    """Show the version of the backbone and of Python."""
    from services.cli.printing import json_line, say

    found = {"ccr": installed(DISTRIBUTION), "python": platform.python_version()}
    if as_json:
        json_line(found)
    else:
        say(f"ccr {found['ccr']}, Python {found['python']}")


def _figures(exposition: str) -> dict[str, float]:
    """Metric → value, summed over its labels."""
    from prometheus_client.parser import text_string_to_metric_families

    found: dict[str, float] = {}
    for family in text_string_to_metric_families(exposition):
        if family.name in FIGURES:
            total = sum(sample.value for sample in family.samples)
            found[family.name] = int(total) if total == int(total) else round(total, 1)
    return found
