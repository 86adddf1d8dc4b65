"""How protocol links are laid out: a row of a table, and one link in full."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.text import Text

from services.cli.spoken import SHORT_ID, due_words, instant, local_time, references_text, urgency_text, who

COLUMNS = ("link", "due", "urgency", "owed by", "rule", "state", "case", "references")
"""Of `link_row`."""


def link_row(found: Mapping[str, Any], now: datetime) -> tuple[str | Text, ...]:
    """One link in a table."""
    return (
        found["id"][:SHORT_ID],
        due_words(found, now),
        urgency_text(found),
        who(found["agency"], found["role"]),
        f"{found['rule']} {found.get('rule_title') or ''}".strip(),
        found["state"],
        found.get("case_id", "")[:SHORT_ID],
        references_text(found),
    )


def link_details(found: Mapping[str, Any], now: datetime) -> list[tuple[str, str | Text]]:
    """One link, name by name, with its escalation ladder."""
    rows: list[tuple[str, str | Text]] = [
        ("link", found["id"]),
        ("case", found.get("case_id", "")),
        ("rule", f"{found['rule']} {found.get('rule_title') or ''}".strip()),
        ("owed by", who(found["agency"], found["role"])),
        ("action", found.get("action") or ""),
        ("urgency", urgency_text(found)),
        ("due", due_words(found, now)),
        ("state", found["state"]),
        ("references", references_text(found)),
    ]
    for name in ("opened_at", "notified_at", "acknowledged_at"):
        at = instant(found.get(name))
        if at is not None:
            rows.append((name.removesuffix("_at"), local_time(at)))
    for step in found.get("steps", ()):
        at = instant(step["at"])
        reached = "reached" if step.get("reached") else "ahead"
        name = "due time" if step["number"] == 0 else f"step {step['number']}"
        rows.append((name, f"{'' if at is None else local_time(at)}  {who(step['agency'], step['role'])}  ({reached})"))
    return rows
