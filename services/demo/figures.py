"""What one run of the week is counted by, and the line it ends with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any


@dataclass(slots=True)
class Figures:
    """Counts and publish-to-alert latencies of one run."""

    events: int = 0
    """Events accepted over HTTP: reports, answers, documents, redriven ones."""
    duplicates: int = 0
    """Submissions recognised as sent before."""
    quarantined: int = 0
    redriven: int = 0
    merged: int = 0
    """Proposals accepted."""
    documents: int = 0
    """NIEM documents read."""
    cases: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Link transitions received over the alert stream, by kind."""
    to_advocates: int = 0
    """Alerts the advocacy program's own subscription received."""
    latencies_s: list[float] = field(default_factory=list)
    """From just before the publisher's request until the alert was read from the stream, one per alert caused by
    a request; alerts caused by deadlines have no request and are left out."""
    lost: int = 0
    """Accepted events missing from the log, and transitions missing from the stream."""
    replay_identical: bool = False
    """Whether views and links rebuilt from the log were byte for byte those in store."""

    @property
    def sound(self) -> bool:
        """Nothing was lost and the replay agreed."""
        return self.lost == 0 and self.replay_identical

    def percentile_ms(self, share: int) -> float:
        """Percentile of the latencies in milliseconds; 0 when there are none."""
        if len(self.latencies_s) < 2:
            return round(1000 * sum(self.latencies_s), 2)
        return round(1000 * quantiles(self.latencies_s, n=100, method="inclusive")[share - 1], 2)

    def as_json(self) -> dict[str, Any]:
        """The demo's one line."""
        return {
            "events": self.events,
            "links_opened": self.kinds["link.opened"],
            "links_satisfied": self.kinds["link.satisfied"],
            "links_overdue": self.kinds["link.overdue"],
            "links_escalated": self.kinds["link.escalated"],
            "alerts_delivered": self.kinds.total(),
            "p50_ms": self.percentile_ms(50),
            "p99_ms": self.percentile_ms(99),
            "lost": self.lost,
            "links_acknowledged": self.kinds["link.acknowledged"],
            "links_waived": self.kinds["link.waived"],
            "links_cancelled": self.kinds["link.cancelled"],
            "links_reopened": self.kinds["link.reopened"],
            "alerts_to_advocates": self.to_advocates,
            "cases": self.cases,
            "documents": self.documents,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "redriven": self.redriven,
            "merged": self.merged,
            "replay_identical": self.replay_identical,
        }
