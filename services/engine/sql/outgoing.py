"""The way of accepted events to the other workers: what the store's writer uses of it. The Kafka engine implements it.

The writer commits a group, sends its events, and only then answers. What is committed and could not be sent stays in
the store and goes first next time, before anything else is decided. So the log of events holds what the store holds,
in the same order for each case; and whoever is told *accepted* or *duplicate* is told of an event that was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

SENDING_S = 15.0
"""How long one `send` may take; within that it returns or raises. The turn of a writer that is silent for
`services.engine.sql.database.SILENT_S` goes to the next one."""
SENT_AT_ONCE = 1_000
"""Records handed over by one call, at most."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """One event on its way: what a record on `ccr.events` is made of."""

    position: int
    """In this store; the order in which records are sent."""
    event_id: str
    case_id: str
    recorded_at: datetime
    alerting: bool
    """False for backfilled history."""
    body: bytes = field(repr=False)
    """Log form (`ccr_events.envelope.encode_record`), sealed."""


class Outgoing(Protocol):
    """Sends events."""

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        """Send these in order, at most `SENT_AT_ONCE`, and return once all of them are acknowledged by all replicas.

        Called in the writer's thread, never twice at the same time, by one writer in the whole cluster at a time.
        Raises whatever it likes when one of them may not have been taken; then all of them are sent again, so a
        record may come twice, and readers drop a repeated id. Returns or raises within `SENDING_S`.
        """
