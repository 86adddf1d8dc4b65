"""What a watcher knows of the county while the week is played: the state of every link, by case, from alerts alone."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.demo.sentences import QUIET, sentence

LAST_ALERTS = 12
"""How many sentences stay on the board."""

COLUMNS = ("owed", "received", "overdue", "escalated", "done", "waived")
"""What a link can be counted as, most pressing state winning."""


@dataclass(slots=True)
class Board:
    """Fed with alerts; read by whatever shows it."""

    zone: ZoneInfo
    names: Mapping[str, str]
    """Case id → history."""
    kinds: Counter[str] = field(default_factory=Counter)
    sentences: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_ALERTS))
    _links: dict[str, tuple[str, str]] = field(default_factory=dict)
    _changed: dict[str, None] = field(default_factory=dict)
    """Case ids, the one that changed last at the end."""

    def heard(self, alert: Mapping[str, Any]) -> str | None:
        """Take in one alert; the sentence to tell, None for kinds that are only counted."""
        kind, link, case_id = alert["type"], alert["data"]["link"], alert["caseid"]
        self.kinds[kind] += 1
        self._changed.pop(case_id, None)
        self._changed[case_id] = None
        if kind == "link.cancelled":
            self._links.pop(link["id"], None)
        else:
            self._links[link["id"]] = (case_id, _column(link))
        if kind in QUIET:
            return None
        told = sentence(alert, self.zone)
        self.sentences.append(told)
        return told

    def rows(self, most: int) -> list[tuple[str, Counter[str]]]:
        """(history, number of links by column) of the `most` cases that changed last, in the order of names."""
        found: dict[str, Counter[str]] = {}
        for case_id, column in self._links.values():
            found.setdefault(self.names.get(case_id, case_id[:8]), Counter())[column] += 1
        newest = list(dict.fromkeys(self.names.get(case_id, case_id[:8]) for case_id in reversed(self._changed)))
        return sorted((name, found[name]) for name in [n for n in newest if n in found][:most])


def _column(link: Mapping[str, Any]) -> str:
    state = link["state"]
    if state == "satisfied":
        return "done"
    if state == "waived":
        return "waived"
    due = link.get("due_at")
    if link["overdue"]:
        return "escalated" if link["escalated_to"] and due is not None else "overdue"
    return "received" if state == "acknowledged" else "owed"


def local(at: datetime, zone: ZoneInfo) -> str:
    """`Tue 3 Feb 2026, 22:41`."""
    here = at.astimezone(zone)
    return f"{here:%a} {here.day} {here:%b %Y, %H:%M}"
