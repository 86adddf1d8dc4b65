"""The ports every engine offers and every service uses. Values are frozen; nothing here does I/O.

One direction: a service imports these; an engine (`services.engine.sqlite`, later `services.engine.kafka`)
implements them; `services.embedded` puts the parts together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from ccr_events.core.model import Link, Transition
from ccr_events.envelope import Event


class Clock(Protocol):
    """Where the time comes from: the wall, or a demonstration that plays a week in a minute."""

    def now(self) -> datetime:
        """Aware UTC datetime."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One event at the door, its publisher already authenticated."""

    event: Event
    agency: str
    """Agency of the API key (or `ccr` for the backbone itself): the event is published in its name."""
    key_id: str
    """Public id of the API key, for quarantine and audit; never the key."""
    alerting: bool = True
    """False for backfilled history: folded, but nobody is alerted."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field. `message` never repeats the submitted value."""

    pointer: str
    """JSON pointer into the submitted event, for example `/data/charges/0/nibrs`."""
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a submission."""

    event_id: str
    status: Literal["accepted", "duplicate", "quarantined", "conflict", "forbidden"]
    case_id: str | None = None
    position: int | None = None
    """Log position once accepted (also for a duplicate: the first one's)."""
    quarantine_id: str | None = None
    title: str = ""
    """What went wrong, in words, when not accepted."""
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One stored event. `body` is its log form: a structured CloudEvent, sealed (see `ccr_events.envelope`)."""

    position: int
    event_id: str
    case_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Alertable:
    """One link transition in the outbox, in commit order."""

    seq: int
    """Position in the outbox; what `Last-Event-ID` carries."""
    transition: Transition
    recorded_at: datetime
    """`recorded_at` of the causing event."""
    alerting: bool
    """False when it comes from backfilled history."""
    committed_s: float | None = field(default=None, compare=False)
    """Monotonic clock when it was committed; None once it is read from the disk."""


class Publisher(Protocol):
    """The door of the backbone."""

    async def submit(self, submissions: Sequence[Submission]) -> list[Receipt]:
        """Validate, resolve, seal, append, fold; answers in order, and only once accepted ones are durable."""


class AlertSource(Protocol):
    """Link transitions as they are committed."""

    def follow(self, after: int) -> AsyncIterator[Sequence[Alertable]]:
        """Pages of at most 500, oldest first, from `after` (exclusive) on; then waits for new ones, forever."""

    async def last_seq(self) -> int:
        """Newest outbox position; 0 when empty."""


class Links(Protocol):
    """Current links, for people and commands."""

    async def link(self, link_id: str) -> Link | None:
        """One link."""

    async def links(
        self,
        *,
        agency: str | None = None,
        case_id: str | None = None,
        open_only: bool = True,
        limit: int = 200,
    ) -> list[Link]:
        """Links, most urgent (earliest due) first."""


class Log(Protocol):
    """The log of events."""

    async def read(self, after: int, limit: int = 1000) -> list[LogRecord]:
        """Records after a position, oldest first."""

    async def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest first."""

    async def known(self, event_ids: Sequence[str]) -> frozenset[str]:
        """Which of these ids (at most 1,000) are on the log."""


@dataclass(frozen=True, slots=True)
class LinkCount:
    """How many links of one rule one agency owes, by how they stand now."""

    rule: str
    agency: str
    open: int
    """Not ended: somebody still owes the act."""
    overdue: int
    """Open and past their due time."""
    escalated: int
    """Open and climbed at least one rung of the ladder."""


@dataclass(frozen=True, slots=True)
class Figures:
    """How the engine stands, read at once."""

    position: int
    """Newest log position."""
    outbox_seq: int
    """Newest outbox position."""
    deadlines_pending: int
    next_deadline_at: datetime | None
    """The earliest pending instant; in the past when the timer is behind."""
    quarantined: int
    """Refused submissions that wait for repair."""
    links: tuple[LinkCount, ...]


class Counts(Protocol):
    """What operators see of the engine."""

    async def figures(self) -> Figures:
        """Counted now; cheap enough for every scrape."""


class Observer(Protocol):
    """What operators count; `services.monitor` implements it. Calls are cheap, thread-safe and never raise."""

    def accepted(self, event_type: str, agency: str) -> None:
        """One event is durable."""

    def refused(self, agency: str, status: str) -> None:
        """One submission was answered with another status than accepted or duplicate."""

    def published(self, seconds: float) -> None:
        """A `submit` call took this long, from call to durable."""

    def folded(self, seconds: float) -> None:
        """Folding one event, links and all, took this long."""

    def sealed_read(self, label: str, agency: str, outcome: str) -> None:
        """A sealed field was asked for (`granted` or `denied`)."""

    def alerted(self, seconds: float) -> None:
        """An alert reached a subscriber this long after its transition was committed."""


@dataclass(frozen=True, slots=True)
class AuthenticatedKey:
    """Who is calling."""

    key_id: str
    agency: str


class Authenticator(Protocol):
    """API keys, checked."""

    async def authenticate(self, presented: str) -> AuthenticatedKey | None:
        """The key's owner; None for a malformed, unknown or revoked key. Constant-time comparison."""


@dataclass(frozen=True, slots=True)
class OpenedEvent:
    """What one agency may read of one event's sealed fields."""

    fields: Mapping[str, Mapping[str, Any]] = field(repr=False)
    """Label → JSON pointer into `data` → plain value."""
    denied: Mapping[str, str]
    """Label → why it was not opened."""


@dataclass(frozen=True, slots=True)
class QuarantinedEvent:
    """Something that was refused and kept. `body` is stored sealed and opened only to repair it."""

    id: str
    received_at: datetime
    agency: str
    type: str
    title: str
    problems: tuple[FieldProblem, ...]
    state: Literal["waiting", "redriven", "discarded"]


class Quarantine(Protocol):
    """What was refused; nothing is lost."""

    async def waiting(self, limit: int = 200, *, agency: str | None = None) -> list[QuarantinedEvent]:
        """Oldest first; of one agency when given."""

    async def entry(self, quarantine_id: str) -> QuarantinedEvent | None:
        """One entry, in whatever state it is."""

    async def discard(self, quarantine_id: str, *, by: str) -> None:
        """Mark it as not to be redriven (a duplicate of something repaired elsewhere); the entry is kept."""

    async def open(self, quarantine_id: str, *, purpose: str, by: str) -> bytes:
        """The submitted bytes, for repair; the read is audited."""

    async def redrive(self, quarantine_id: str, *, body: bytes | None, by: str) -> Receipt:
        """Submit it again, repaired (`body`) or as it was; it stays in quarantine when refused again."""

    async def hold(
        self,
        raw: bytes,
        *,
        agency: str,
        key_id: str,
        type_hint: str,
        title: str,
        problems: Sequence[FieldProblem],
        alerting: bool = True,
    ) -> str:
        """Keep bytes that could not even be read as an event; returns the quarantine id. `alerting`: whether they may
        alert once they are repaired; not when they are history."""
