"""What became of what was taken in: counted while it goes on, told in the end. Bounded, however large the files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.cli.printing import pairs, table
from services.cli.spoken import agency_name
from services.engine.ports import Receipt

MAX_FAULTS = 1_000
"""Most faults remembered one by one; all are counted."""
MAX_TOLD = 20
"""Most faults told to a person one by one; --json has up to `MAX_FAULTS`."""
MAX_REASONS = 500
"""Most kinds of reasons counted apart."""
SETTLED = frozenset({"accepted", "duplicate", "spooled"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One row, line or document that became no accepted event, and why; no value of it."""

    file: str
    where: str
    """`row 17`, `line 3`; empty for a whole document."""
    reason: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.where, self.reason) if part)


@dataclass(slots=True)
class Tally:
    """Counts of one run, and of those it continues."""

    statuses: Counter[str] = field(default_factory=Counter)
    """Events by what the backbone answered; `corrected`: among them corrections of rows published before."""
    rows: Counter[str] = field(default_factory=Counter)
    """What became no event: `skipped` by the mapping, `unchanged` since the last time, `rejected`."""
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(agency, event type) of events sent."""
    reasons: Counter[str] = field(default_factory=Counter)
    alerting: int = 0
    """Events sent as live."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    """Between which instants the acts happened."""
    faults: list[Fault] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Events and rows that are not on the log and should be."""
        return sum(count for status, count in self.statuses.items() if status not in SETTLED) + self.rows["rejected"]

    def sent(self, agency: str, event_type: str, at: datetime | None, status: str, *, alerting: bool) -> None:
        """One event has its answer."""
        self.statuses[status] += 1
        self.kinds[agency, event_type] += 1
        self.alerting += alerting
        if at is not None:
            self.first_at = at if self.first_at is None else min(self.first_at, at)
            self.last_at = at if self.last_at is None else max(self.last_at, at)

    def fault(self, fault: Fault, kind: str = "") -> None:
        """Something was not taken in; `kind`: under which reason it counts."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(fault)
        kind = kind or fault.reason
        if kind in self.reasons or len(self.reasons) < MAX_REASONS:
            self.reasons[kind] += 1

    def stored(self) -> dict[str, Any]:
        """As JSON, to be continued; the list of faults is not kept."""
        return {
            "statuses": self.statuses,
            "rows": self.rows,
            "kinds": [[*kind, count] for kind, count in sorted(self.kinds.items())],
            "reasons": self.reasons,
            "alerting": self.alerting,
            "first_at": None if self.first_at is None else self.first_at.isoformat(),
            "last_at": None if self.last_at is None else self.last_at.isoformat(),
        }

    @classmethod
    def continued(cls, stored: Mapping[str, Any]) -> Tally:
        """From `stored`."""
        return cls(
            statuses=Counter(stored["statuses"]),
            rows=Counter(stored["rows"]),
            kinds=Counter({(agency, name): count for agency, name, count in stored["kinds"]}),
            reasons=Counter(stored["reasons"]),
            alerting=stored["alerting"],
            first_at=_instant(stored["first_at"]),
            last_at=_instant(stored["last_at"]),
        )

    def as_json(self) -> dict[str, Any]:
        """For the command's one line."""
        return {
            **{status: self.statuses[status] for status in ("accepted", "duplicate")},
            **self.statuses,
            "skipped": self.rows["skipped"],
            "unchanged": self.rows["unchanged"],
            "rejected": self.rows["rejected"],
            "live": self.alerting,
            "first_at": self.stored()["first_at"],
            "last_at": self.stored()["last_at"],
            "types": [{"agency": a, "type": t, "events": count} for (a, t), count in sorted(self.kinds.items())],
            "reasons": dict(self.reasons.most_common()),
            "faults": [{"file": f.file, "where": f.where, "reason": f.reason} for f in self.faults],
        }

    def tell(
        self, counted: Sequence[tuple[str, str]], *, sent: str = "sent", words: Mapping[str, str] | None = None
    ) -> None:
        """Tables for a person. `counted`: further rows of the last one; `words`: what statuses are called instead."""
        if self.faults:
            shown = [(f.file, f.where, f.reason) for f in self.faults[:MAX_TOLD]]
            table(("file", "where", "not taken in, because"), shown, none="")
            rest = sum(self.reasons.values()) - len(shown)
            if rest > 0:
                table(("times", "reason"), [(f"{n:,}", why) for why, n in self.reasons.most_common(MAX_TOLD)], none="")
        if self.kinds:
            kinds = [(agency_name(a), t, f"{count:,}") for (a, t), count in sorted(self.kinds.items())]
            table(("agency", "event", sent), kinds, none="")
        called = words or {}
        rows = [
            (f"events {called.get(status, status)}", f"{count:,}") for status, count in sorted(self.statuses.items())
        ]
        rows += [(f"rows {what}", f"{count:,}") for what, count in sorted(self.rows.items()) if count]
        if self.first_at is not None and self.last_at is not None:
            rows.append(("happened", f"{self.first_at:%Y-%m-%d %H:%M} to {self.last_at:%Y-%m-%d %H:%M} UTC"))
        pairs([*rows, *counted])


def reason_of(receipt: Receipt) -> str:
    """Why an event was not accepted, in one line."""
    problems = "; ".join(f"{problem.pointer} {problem.message}" for problem in receipt.problems)
    where = f" (quarantine {receipt.quarantine_id})" if receipt.quarantine_id else ""
    words = ": ".join(part for part in (receipt.title, problems) if part)
    return f"{receipt.status}{where}: {words}" if words else f"{receipt.status}{where}"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
