"""What one agency's adapter sends, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ccr_events.envelope import Event


@dataclass(frozen=True, slots=True)
class Report:
    """One event on its way to the door. `event.data` is shared between events of a history: do not change it."""

    at: datetime
    """When it is sent: at or after `event.occurred_at`."""
    agency: str
    """Who sends it, `ccr_events.agencies.Agency` value."""
    event: Event
    broken: bool = False
    """Made so that the door must refuse it (`County.broken`); nothing else is."""
