"""Links, alerts and times in the words of those who act on them. Only open fields: a link holds no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from ccr_events.agencies import AGENCY_NAMES, Agency

SHORT_ID = 8
"""Characters of an id that are shown, and are enough to type."""
_STYLES = {
    "opened": "bold cyan",
    "overdue": "bold red",
    "escalated": "bold red",
    "reopened": "bold yellow",
    "rescheduled": "yellow",
    "acknowledged": "green",
    "satisfied": "green",
    "waived": "magenta",
    "cancelled": "dim",
    "notified": "dim",
}
_CALLING = frozenset({"opened", "overdue", "escalated", "reopened"})
"""Kinds that call somebody to act; the others only tell."""
_URGENT = {"immediate": "bold red"}


def agency_name(agency: str) -> str:
    """`adv` → `advocacy`; an unknown one stays as it is."""
    return AGENCY_NAMES[Agency(agency)] if agency in set(Agency) else agency


def who(agency: str, role: str) -> str:
    """`advocacy · on-call advocate`."""
    return f"{agency_name(agency)} · {role}" if role else agency_name(agency)


def instant(text: str | None) -> datetime | None:
    """RFC 3339 text, read."""
    return None if not text else datetime.fromisoformat(text)


def local_time(at: datetime) -> str:
    """`Mon 2 Mar 22:15`, in this machine's time zone; with the year when it is another."""
    here = at.astimezone()
    year = "" if here.year == datetime.now(UTC).astimezone().year else f" {here.year}"
    return f"{here:%a} {here.day} {here:%b}{year} {here:%H:%M}"


def span_text(span: timedelta) -> str:
    """`12 min`, `3 h 5 min`, `2 d 4 h`; less than a minute in seconds."""
    seconds = int(abs(span).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    told = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number]
    return " ".join(told[:2])


def due_words(link: Mapping[str, Any], now: datetime) -> Text:
    """When it is due and how far that is off; how it ended when it has."""
    state = str(link.get("state", ""))
    due, ended = instant(link.get("due_at")), instant(link.get("ended_at"))
    if state in ("satisfied", "waived", "cancelled"):
        late = f", {span_text(ended - due)} late" if due and ended and state == "satisfied" and ended > due else ""
        return Text(f"{state}{'' if ended is None else ' ' + local_time(ended)}{late}", _STYLES[state])
    if due is None:
        return Text("no deadline")
    if now >= due:
        return Text(f"was due {local_time(due)}, overdue by {span_text(now - due)}", "bold red")
    return Text(f"due {local_time(due)}, in {span_text(due - now)}")


def references_text(link: Mapping[str, Any]) -> str:
    """`incident_no 26-0101, booking_no B-17`: how the addressee finds it in their own system."""
    return ", ".join(f"{r['kind']} {r['number']}" for r in link.get("references", ()))


def urgency_text(link: Mapping[str, Any]) -> Text:
    """The urgency, so that what is immediate is seen."""
    urgency = str(link.get("urgency", ""))
    return Text(urgency, _URGENT.get(urgency, ""))


def alert_text(event: Mapping[str, Any], now: datetime) -> Text:
    """One alert (the stream's CloudEvent) in two or three lines: what happened, due when; who is called to act also
    reads what to do."""
    data = event["data"]
    link = data["link"]
    kind = str(event["type"]).removeprefix("link.")
    at = instant(event["time"]) or now
    text = Text(f"{local_time(at)}  ")
    text.append(f"{kind.upper():<13}", _STYLES.get(kind, "bold"))
    text.append(_happened(kind, data), "bold" if kind in _CALLING else "")
    if kind in _CALLING:
        text.append("\n    ")
        text.append(f"owed: {data.get('action') or data.get('rule_title') or link['rule']}")
    text.append("\n    ")
    text.append(due_words(link, now))
    text.append(f"  {link['urgency']}", _URGENT.get(str(link["urgency"]), ""))
    text.append(f"  {link['rule']}")
    if references := references_text(link):
        text.append(f"  {references}")
    text.append(f"  link {link['id'][:SHORT_ID]}", "dim")
    return text


def _happened(kind: str, data: Mapping[str, Any]) -> str:
    link = data["link"]
    owing = who(link["agency"], link["role"])
    title = data.get("rule_title") or link["rule"]
    match kind:
        case "opened":
            return f"{owing} must act: {title}"
        case "overdue":
            return f"{owing} has not acted in time: {title}"
        case "escalated":
            return f"{who(data['to_agency'], data['to_role'])} is told (step {data['step']}): {owing} owes: {title}"
        case "acknowledged":
            return f"{owing} has received it: {title}"
        case "satisfied":
            return f"{owing} has acted: {title}"
        case "waived":
            return f"let go, with the reason on record: {title}"
        case "cancelled":
            return f"{owing} no longer owes it, what opened it was corrected: {title}"
        case "reopened":
            return f"{owing} owes it again, what had answered it was taken back: {title}"
        case "rescheduled":
            return f"{owing} has another due time: {title}"
        case "notified":
            return f"the alert reached {agency_name(data['to_agency'])}: {title}"
        case _:
            return f"{owing}: {title}"
