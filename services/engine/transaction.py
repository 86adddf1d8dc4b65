"""What one atomic unit of work offers: the stores of the engine, bound to one transaction. Synchronous.

A service hands a function of a `Transaction` to `Writer.write`. The engine runs many such functions in one
transaction (group commit): all of them become durable together, or none. Inside, a store sees what was written
before it in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from ccr_events.core.model import Fact, Link, Transition
from ccr_events.core.view import CaseView
from services.engine.ports import LogRecord

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One event about to be appended."""

    fact: Fact
    """Its open skeleton, as `ccr_events.envelope.fact_of(body)` would give it."""
    body: bytes
    """Log form (`ccr_events.envelope.encode_record`), sealed."""
    digest: bytes
    """Keyed hash of the event as published: the same id with another digest is a conflict."""
    alerting: bool = True
    """False for backfilled history."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What the log knows of an event id."""

    position: int
    case_id: str
    digest: bytes
    alerting: bool = True
    """False for backfilled history."""


class EventStore(Protocol):
    """The log."""

    def find(self, event_id: str) -> StoredEvent | None:
        """Whether the id is on the log."""

    def expect(self, event_ids: Collection[str]) -> None:
        """The current work will ask `find` for these: they are looked up at once, which is cheaper."""

    def append(self, record: NewRecord) -> int:
        """Append; returns the position (1, 2, 3 … without gaps). The caller has checked `find`, and folds the fact
        into the view of its case in the same transaction."""

    def get(self, event_id: str) -> LogRecord | None:
        """One stored event."""

    def of_case(self, case_id: str) -> list[LogRecord]:
        """Every record of one case, oldest position first."""


class ViewStore(Protocol):
    """Case views, through a bounded cache. A view is the facts of its case (`EventStore.append` keeps them) and its
    links (`LinkStore` keeps them), so each change is stored once, however large the case."""

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""

    def put(self, view: CaseView) -> None:
        """The new state of a case; its new facts and changed links are put in the same transaction."""


class LinkStore(Protocol):
    """Current links, for reading by people and commands."""

    def put(self, case_id: str, links: Iterable[Link]) -> None:
        """Insert or replace by link id: the view of `case_id` holds them now (after a merge that is another case than
        the link's own). Keeps the deadlines of each link in step: see
        `services.engine.deadlines`."""

    def remove(self, case_id: str, link_ids: Iterable[str]) -> None:
        """Links that left the view of `case_id`, and their deadlines; one that another case holds by now stays."""

    def get(self, link_id: str) -> Link | None:
        """One link."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One step of one link that has not been reached."""

    link_id: str
    case_id: str
    """The link's own case: where its `link.*` events belong, also after a merge (the merge carries them on)."""
    step: int
    at: datetime


class DeadlineStore(Protocol):
    """Pending deadlines: the steps of open links that have not been reached; kept by `LinkStore.put`."""

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Those at or before `now`, ordered by (at, link id, step)."""

    def next_at(self) -> datetime | None:
        """The earliest pending instant."""


class Outbox(Protocol):
    """Link transitions in commit order."""

    def add(self, transitions: Sequence[Transition], *, position: int, recorded_at: datetime, alerting: bool) -> None:
        """Append what one event caused. `position` and `recorded_at` are the event's; called once per folded event,
        in log order, so every transition id is there once."""


@dataclass(frozen=True, slots=True)
class ReferenceKey:
    """An agency's number, as the case index keys it."""

    kind: str
    number: str
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class PersonKey:
    """One person named in an event, by keyed hashes only."""

    token: str
    """Opaque, derived from the exact keyed hash: the same name and birth date always give the same token."""
    block: bytes
    """Keyed hash of a coarse key (birth date, or phonetic surname): candidates for a fuzzy comparison share one."""
    sealed_name: str
    """Name and birth date, encrypted under the case's own key, so that they end with it; opened only to compare
    candidates."""


@dataclass(frozen=True, slots=True)
class MergeProposal:
    """Two cases that may be one. Only a person decides."""

    id: str
    """Derived from the two cases, so the same pair is proposed once."""
    case_id: str
    other_case_id: str
    cause: str
    """`ccr_events.codes.backbone.MergeCause` value."""
    event_id: str
    """The event that raised it."""
    score: int
    """0 to 100; 100 for exact evidence."""
    proposed_at: datetime
    state: str
    """`waiting`, `accepted` or `rejected`."""


class CaseIndex(Protocol):
    """References and people to cases; the decision of where an event belongs is made once, against this."""

    def expect(self, references: Collection[ReferenceKey], pairs: Collection[tuple[str, str]]) -> None:
        """The current work will ask `case_of` and `dyad_case` for these: an engine may look them up at once."""

    def case_of(self, reference: ReferenceKey) -> str | None:
        """The case a number points to."""

    def bind(self, reference: ReferenceKey, case_id: str) -> None:
        """Point a number to a case; a number already bound stays where it is."""

    def case_exists(self, case_id: str) -> bool:
        """Whether any event belongs to it."""

    def add_case(self, case_id: str) -> None:
        """Note a new case."""

    def earliest(self, case_ids: Collection[str]) -> str:
        """Which of these noted cases was noted first."""

    def forward_of(self, case_id: str) -> str:
        """The surviving case after merges; the case itself when it was not merged."""

    def set_forward(self, case_id: str, into: str | None) -> None:
        """Note a merge (None: undo it)."""

    def dyad_case(self, suspect: str, victim: str) -> str | None:
        """The case of a (suspect token, victim token) pair."""

    def bind_dyad(self, suspect: str, victim: str, case_id: str) -> None:
        """Point a pair to a case; a pair already bound stays where it is."""

    def remember(self, person: PersonKey, role: str, case_id: str) -> None:
        """Note that a person has a role in a case."""

    def candidates(self, block: bytes, limit: int) -> list[tuple[PersonKey, str, str]]:
        """(person, role, case id) with that block key, at most `limit`, newest first."""

    def propose(self, proposal: MergeProposal) -> None:
        """Keep a proposal; one with the same id is left as it is."""

    def proposal(self, proposal_id: str) -> MergeProposal | None:
        """One proposal."""

    def decide(self, proposal_id: str, state: str) -> None:
        """Mark a proposal accepted or rejected."""

    def proposals(self, state: str, limit: int) -> list[MergeProposal]:
        """Oldest first."""


@dataclass(frozen=True, slots=True)
class Held:
    """A refused submission as stored: `sealed_body` is a token of `services.sealing`."""

    id: str
    received_at: datetime
    agency: str
    key_id: str
    type_hint: str
    title: str
    problems: tuple[tuple[str, str], ...]
    sealed_body: str
    state: str


class QuarantineStore(Protocol):
    """Refused submissions."""

    def hold(self, held: Held) -> None:
        """Keep; the same id again changes nothing."""

    def get(self, quarantine_id: str) -> Held | None:
        """One entry."""

    def renew(self, held: Held) -> None:
        """Put in the place of the entry with the same id, which was settled: it waits again."""

    def mark(self, quarantine_id: str, state: str, at: datetime) -> None:
        """`redriven` or `discarded`, from `at` on."""

    def drop_settled(self, agency: str, *, keep: int, before: datetime) -> None:
        """Take the bodies out of an agency's entries settled before an instant, and of all but the `keep` settled
        last. The entries stay, with an empty `sealed_body`."""

    def waiting(self, limit: int, agency: str | None = None) -> list[Held]:
        """Oldest first (of one agency)."""

    def count_waiting(self, agency: str | None = None) -> int:
        """How many wait (of one agency)."""

    def bytes_waiting(self, agency: str) -> int:
        """What the sealed bodies of an agency's waiting entries come to, in characters."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key: the secret only as a hash."""

    key_id: str
    agency: str
    secret_hash: bytes
    created_at: datetime
    label: str
    revoked_at: datetime | None = None


class ApiKeyStore(Protocol):
    """API keys."""

    def add(self, key: StoredKey) -> None:
        """Keep a new key."""

    def get(self, key_id: str) -> StoredKey | None:
        """One key."""

    def revoke(self, key_id: str, at: datetime) -> None:
        """From now on refused."""

    def all(self) -> list[StoredKey]:
        """Oldest first."""


class AuditLog(Protocol):
    """Hash-chained record of reads of sealed fields."""

    def append(self, entry: bytes) -> str:
        """Append canonical JSON; returns the new head of the chain (SHA-256 hex over previous head and entry)."""

    def entries(self, after: int, limit: int) -> list[tuple[int, str, bytes]]:
        """(number, head, entry), oldest first."""


class CaseRewriting(Protocol):
    """What is derived from the log of one case, written anew: for repair. Log and outbox stay as they are."""

    def positions(self, case_ids: Collection[str]) -> dict[str, list[int]]:
        """Case id → the log positions of its events, read from the log alone, which takes a while."""

    def records(self, case_id: str, positions: Collection[int]) -> list[LogRecord]:
        """The records of a case: those at `positions`, and those filed under it by now; oldest position first."""

    def put(self, view: CaseView, facts: Mapping[int, Fact]) -> None:
        """All that is kept of a case is this view; `facts` are all of its facts, by log position."""

    def sweep(self) -> None:
        """Take away what is filed under no case."""


class Transaction(Protocol):
    """The stores, in one transaction."""

    @property
    def events(self) -> EventStore:
        """The log."""

    @property
    def views(self) -> ViewStore:
        """Case views."""

    @property
    def links(self) -> LinkStore:
        """Current links."""

    @property
    def deadlines(self) -> DeadlineStore:
        """Pending deadlines."""

    @property
    def outbox(self) -> Outbox:
        """Transitions."""

    @property
    def cases(self) -> CaseIndex:
        """The case index."""

    @property
    def quarantine(self) -> QuarantineStore:
        """Refused submissions."""

    @property
    def api_keys(self) -> ApiKeyStore:
        """API keys."""

    @property
    def audit(self) -> AuditLog:
        """Reads of sealed fields."""

    @property
    def rewriting(self) -> CaseRewriting:
        """Repair of cases."""


class Writer(Protocol):
    """The one place where anything is written."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in the current group's transaction and return its result once the group is durable.

        Work runs in the writer's thread, in the order of the calls. When it raises, what it wrote is undone, the
        rest of the group goes on, and the exception reaches the caller. Waits (bounded queue) when the writer is
        behind; raises `EngineClosed` after close and `StorageFailed` when the disk refuses.
        """

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run a query against the last durable state, beside the writer, in another thread. Must not write."""

    def before_commit(self, hook: Callable[[], None]) -> None:
        """Call `hook` in the writer's thread before each commit (the key store makes its keys durable there)."""


class EngineClosed(RuntimeError):
    """The engine was closed while work was waiting."""


class StorageFailed(RuntimeError):
    """The disk refused (full, read-only, damaged). Nothing of the failed group was accepted; says what to do."""


class RecordTooLarge(ValueError):
    """The log takes no record this large; says how large and how much it takes. Nothing was appended."""


Appender = Callable[[Transaction, NewRecord], int]
"""How an accepted event reaches the log: append, and on the embedded engine fold it at once. Returns the position.
May raise `RecordTooLarge`.

`services.casebook` provides them; intake and timer are given one and know nothing of folding.
"""
