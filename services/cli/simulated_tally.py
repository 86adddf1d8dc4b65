"""What came of a simulated county: what was sent, how it was received, what the protocol links did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ccr_events.core.model import Transition, TransitionKind
from services.engine.ports import Receipt
from services.simulator import Report

MAX_TOLD = 5
"""Most refusals told in words."""
TAKEN = frozenset({"accepted", "duplicate"})


@dataclass(slots=True)
class Tally:
    """Counts, kept up to date while the county runs."""

    receipts: Counter[str] = field(default_factory=Counter)
    """Receipt status → events sent; those made to be refused are left out."""
    broken: int = 0
    """Sent although they had to be refused, and refused."""
    wrong: list[str] = field(default_factory=list)
    """What did not go as it had to, in words; at most `MAX_TOLD`."""
    not_as_expected: int = 0
    links: Counter[str] = field(default_factory=Counter)
    """What happened to protocol links → how often."""
    answers: Counter[str] = field(default_factory=Counter)
    """What became of practitioners' answers → how many."""
    merged: int = 0
    """Cases made one, as a person of the tracking entity decided."""
    seconds: float = 0.0
    """How long it took, by the wall clock."""

    def received(self, sent: Iterable[Report], receipts: Iterable[Receipt]) -> None:
        """Count what the backbone said to reports."""
        for report, receipt in zip(sent, receipts, strict=True):
            taken = receipt.status in TAKEN
            if report.broken and not taken:
                self.broken += 1
                continue
            self.receipts[receipt.status] += 1
            if not taken or report.broken:
                self._unexpected(f"{report.event.type} by {report.agency}: {receipt.status} {receipt.title}")

    def heard(self, transition: Transition) -> None:
        """Count what happened to a link."""
        kind, link = transition.kind, transition.link
        self.links[kind.value] += 1
        if kind is TransitionKind.ACKNOWLEDGED and not link.overdue:
            self.links["acknowledged_in_time"] += 1
        elif kind is TransitionKind.SATISFIED and not link.overdue:
            self.links["satisfied_in_time"] += 1

    def _unexpected(self, words: str) -> None:
        self.not_as_expected += 1
        if len(self.wrong) < MAX_TOLD:
            self.wrong.append(words)

    @property
    def sent(self) -> int:
        """Events sent by adapters."""
        return self.receipts.total() + self.broken

    @property
    def sound(self) -> bool:
        """Whether everything was received as it had to be."""
        return not self.not_as_expected

    def form(self) -> dict[str, Any]:
        """For --json."""
        refused = self.receipts.total() - sum(self.receipts[status] for status in TAKEN)
        return {
            "events_sent": self.sent,
            "accepted": self.receipts["accepted"],
            "duplicates": self.receipts["duplicate"],
            "refused": refused,
            "refused_as_meant": self.broken,
            "links_opened": self.links["opened"],
            "acknowledged_in_time": self.links["acknowledged_in_time"],
            "satisfied": self.links["satisfied"],
            "satisfied_in_time": self.links["satisfied_in_time"],
            "waived": self.links["waived"],
            "overdue": self.links["overdue"],
            "escalated": self.links["escalated"],
            "answers": dict(self.answers),
            "cases_merged": self.merged,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(self.sent / self.seconds, 1) if self.seconds else None,
        }
