"""An alert as a sentence a practitioner would say. Only open fields: agency, role, rule, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ccr_events.agencies import AGENCY_NAMES, Agency

QUIET = frozenset({"link.notified", "link.rescheduled"})
"""Kinds that are counted and not told."""


def sentence(alert: Mapping[str, Any], zone: ZoneInfo) -> str:
    """One alert (a transition CloudEvent as the stream carries it) in words, with the county's local time."""
    data = alert["data"]
    link = data["link"]
    owes = f"{_agency(link['agency'])} · {link['role']} owes: {_small(data['rule_title'])}"
    return f"{clock_text(_instant(alert['time']), zone)} {owes} — {_what(alert, zone)}"


def clock_text(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 22:41`."""
    return at.astimezone(zone).strftime("%a %H:%M")


def duration(span: timedelta) -> str:
    """`12 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes = int(abs(span).total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [(days, "d"), (hours, "h"), (rest, "min")]
    told = [f"{number} {unit}" for number, unit in parts if number][:2]
    return " ".join(told) or "0 min"


def _what(alert: Mapping[str, Any], zone: ZoneInfo) -> str:
    data, kind = alert["data"], alert["type"]
    at, link = _instant(alert["time"]), data["link"]
    due = _instant(link["due_at"]) if "due_at" in link else None
    late = due is not None and "ended_at" in link and _instant(link["ended_at"]) > due
    match kind:
        case "link.opened":
            return "new" if due is None else f"due {_when(due, at, zone)}"
        case "link.acknowledged":
            return "received"
        case "link.satisfied":
            return f"done, {duration(_instant(link['ended_at']) - due)} late" if due is not None and late else "done"
        case "link.waived":
            return "waived, with the reason on record"
        case "link.overdue":
            return "overdue"
        case "link.escalated":
            return _escalated(data, at, due)
        case "link.cancelled":
            return "no longer owed: what opened it was corrected"
        case "link.reopened":
            return "owed again: what had answered it was taken back"
        case _:
            return str(kind).removeprefix("link.")


def _escalated(data: Mapping[str, Any], at: datetime, due: datetime | None) -> str:
    hears = data["to_role"]
    if data["to_agency"] != data["link"]["agency"]:
        hears = f"{hears}, {_agency(data['to_agency'])}"
    if due is None or at < due:
        left = "" if due is None else f"due in {duration(due - at)}, "
        return f"{left}{hears} warned"
    return f"overdue by {duration(at - due)}, escalated to {hears}" if at > due else f"overdue, escalated to {hears}"


def _when(due: datetime, at: datetime, zone: ZoneInfo) -> str:
    if due - at > timedelta(days=6):
        return due.astimezone(zone).strftime("%d %b")
    return clock_text(due, zone)


def _agency(agency: str) -> str:
    name = AGENCY_NAMES[Agency(agency)]
    return name[:1].upper() + name[1:]


def _small(title: str) -> str:
    return title[:1].lower() + title[1:]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
