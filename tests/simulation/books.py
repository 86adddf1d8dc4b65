"""What the outside world remembers: what it sent, what it was answered, what it was told. The laws compare with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ccr_events.envelope import Event
from services.engine.ports import Receipt
from tests.simulation.trace import Trace

ON_THE_LOG = ("accepted", "duplicate")


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that may come to the log."""

    event: Event
    agency: str
    said_once: bool = False
    """An answer of a practitioner: its derived id stands for it, whatever the time it was given at."""


@dataclass
class Books:
    """One run's."""

    trace: Trace
    sent: dict[str, list[Sent]] = field(default_factory=dict)
    """Event id → every version of it that was sent."""
    acknowledged: dict[str, Receipt] = field(default_factory=dict)
    """Event id → the first receipt that says it is on the log."""
    refused: dict[str, bytes | None] = field(default_factory=dict)
    """Quarantine id → the bytes that must be kept under it; None when they must not."""

    def sending(self, event: Event, agency: str, *, said_once: bool = False) -> None:
        """Somebody is about to send this."""
        versions = self.sent.setdefault(event.id, [])
        if not any(known.event == event for known in versions):
            versions.append(Sent(event, agency, said_once))

    def answered(self, event_id: str, receipt: Receipt, body: bytes | None = None) -> None:
        """A receipt reached who had sent the event."""
        self.trace.tell(f"receipt {event_id} {receipt.status} {receipt.position} {receipt.case_id}")
        if receipt.event_id != event_id:
            self.trace.violated(f"the receipt for {event_id} names {receipt.event_id or 'no event'}")
        if receipt.status in ON_THE_LOG:
            first = self.acknowledged.setdefault(event_id, receipt)
            if (first.position, first.case_id) != (receipt.position, receipt.case_id):
                self.trace.violated(
                    f"{event_id} was acknowledged at position {first.position} of case {first.case_id}, then at "
                    f"{receipt.position} of {receipt.case_id}"
                )
        elif receipt.quarantine_id is not None:
            self.refused[receipt.quarantine_id] = body
        elif receipt.status != "forbidden":
            self.trace.violated(f"{event_id} was refused ({receipt.status}) and not kept: {receipt.title}")
