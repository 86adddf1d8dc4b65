"""A stand-in for the way to Kafka: keeps what it is sent, and refuses or waits when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.engine.sql import SENT_AT_ONCE, OutgoingRecord


class BrokerRefuses(RuntimeError):
    """What a producer raises."""


@dataclass
class Sent:
    """Implements `services.engine.sql.Outgoing`."""

    records: list[OutgoingRecord] = field(default_factory=list)
    refusals: int = 0
    """How many of the next calls are refused, taking nothing."""
    lost_answers: int = 0
    """How many of the next calls take everything and fail nevertheless."""
    open: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    """Set once a call is under way."""

    def __post_init__(self) -> None:
        self.open.set()

    def send(self, records: Sequence[OutgoingRecord]) -> None:
        assert 0 < len(records) <= SENT_AT_ONCE
        self.reached.set()
        assert self.open.wait(30)
        if self.refusals:
            self.refusals -= 1
            raise BrokerRefuses
        self.records += records
        if self.lost_answers:
            self.lost_answers -= 1
            raise BrokerRefuses

    @property
    def ids(self) -> list[str]:
        return [record.event_id for record in self.records]
