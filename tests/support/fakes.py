"""The ports, in memory: an outbox that is appended to at will, a door that keeps what is submitted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from ccr_events.core.model import Transition, TransitionKind
from services.engine.ports import Alertable, LogRecord, Receipt, Submission
from tests.support.envelopes import TRANSITION

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class StandingClock:
    """Always noon."""

    def now(self) -> datetime:
        return NOW


@dataclass
class MemoryOutbox:
    """Implements `AlertSource`. Pages are small, so that reading on is exercised."""

    page: int = 3
    kept: list[Alertable] = field(default_factory=list)
    followers: int = 0
    fail_once: Exception | None = None
    _waiting: list[asyncio.Event] = field(default_factory=list)

    def add(self, *transitions: Transition, alerting: bool = True) -> None:
        for transition in transitions:
            self.kept.append(Alertable(len(self.kept) + 1, transition, NOW, alerting))
        waiting, self._waiting = self._waiting, []
        for more in waiting:
            more.set()

    async def follow(self, after: int) -> AsyncIterator[Sequence[Alertable]]:
        self.followers += 1
        try:
            while True:
                if self.fail_once is not None:
                    failure, self.fail_once = self.fail_once, None
                    raise failure
                page = self.kept[after : after + self.page]
                if page:
                    after = page[-1].seq
                    yield page
                    await asyncio.sleep(0)
                else:
                    self._waiting.append(asyncio.Event())
                    await self._waiting[-1].wait()
        finally:
            self.followers -= 1

    async def last_seq(self) -> int:
        return len(self.kept)


@dataclass
class KeepingDoor:
    """Implements `Publisher` and what receipts need of `Log`; fails as often as told."""

    submitted: list[Submission] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    async def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        if self.failures:
            raise self.failures.pop(0)
        self.batches.append(len(submissions))
        self.submitted.extend(submissions)
        return [Receipt(s.event.id, "accepted", s.event.case_id, 1) for s in submissions]

    async def known(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(s.event.id for s in self.submitted) & frozenset(event_ids)

    async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
        return []

    async def of_case(self, case_id: str) -> list[LogRecord]:
        return []


@dataclass
class Counter:
    """Implements `services.alerts.stream.Audience`."""

    subscribers: int = 0

    def subscribed(self, change: int) -> None:
        self.subscribers += change


def transition(
    number: int,
    kind: TransitionKind = TransitionKind.OPENED,
    *,
    to: tuple[str, str] = ("jail", "release_desk"),
    owed_by: tuple[str, str] = ("jail", "release_desk"),
    urgency: str = "immediate",
    rule: str = "R1",
    edition: str = "e1",
    step: int = 0,
) -> Transition:
    """An invented transition; `number` tells links apart."""
    link = replace(
        TRANSITION.link,
        id=f"00000000-0000-5000-8000-{number:012d}",
        rule=rule,
        edition=edition,
        agency=owed_by[0],
        role=owed_by[1],
        urgency=urgency,
        due_at=NOW + timedelta(minutes=number),
    )
    return replace(
        TRANSITION,
        id=f"00000000-0000-5000-9000-{number:012d}",
        kind=kind,
        step=step,
        link=link,
        to_agency=to[0],
        to_role=to[1],
    )
