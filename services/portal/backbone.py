"""What the portal needs of the backbone: what is read, and all of it. `services.embedded`, `services.distributed` and
`services.reading` provide them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ccr_events.core.rules import Edition, Policies
from ccr_events.policy.document import Document
from services.engine.ports import (
    AlertSource,
    AuthenticatedKey,
    Authenticator,
    Clock,
    Links,
    Log,
    Observer,
    OpenedEvent,
    Publisher,
    Quarantine,
    Receipt,
)
from services.engine.transaction import MergeProposal


class NotOnThisEngine(RuntimeError):
    """This engine does it in another place, or in another way; says which."""


class Opener(Protocol):
    """Authorized reads of sealed fields; every call is audited, also a refused one."""

    async def open(
        self, event_id: str, labels: Collection[str], *, purpose: str, by: AuthenticatedKey
    ) -> OpenedEvent | None:
        """The fields of these labels (`ccr_events.labels.Label` values) that `by` may read for `purpose`
        (a `ReadPurpose` value); None when no such event exists."""


class Proposals(Protocol):
    """Merges that a person decides."""

    async def waiting(self, limit: int = 200) -> list[MergeProposal]:
        """Oldest first."""

    async def accept(self, proposal_id: str, *, by: AuthenticatedKey) -> Receipt | None:
        """Publish the `case.merged` event and mark it; None when no such proposal waits."""

    async def reject(self, proposal_id: str, *, by: AuthenticatedKey) -> bool:
        """Mark it; False when no such proposal waits."""


class PolicyBook(Policies, Protocol):
    """All written policies, compiled."""

    @property
    def documents(self) -> Sequence[Document]:
        """Every document ever in force."""

    def edition(self, edition_id: str) -> Edition:
        """The edition stamped on an event."""


class Metrics(Observer, Protocol):
    """What `services.monitor.metrics.Metrics` offers."""

    def subscribed(self, change: int) -> None:
        """A subscriber came (+1) or went (-1)."""

    async def exposition(self) -> tuple[bytes, str]:
        """What Prometheus scrapes, and its media type."""


class Health(Protocol):
    """What `services.monitor.health.Health` offers."""

    async def reasons(self) -> Mapping[str, str | None]:
        """Part → why it is not ready; None where it is."""


class Reading(Protocol):
    """What is read from, and no event of an agency is accepted by."""

    @property
    def publisher(self) -> Publisher:
        """Takes the receipts of delivered alerts."""

    @property
    def alerts(self) -> AlertSource:
        """Transitions."""

    @property
    def links(self) -> Links:
        """Current links."""

    @property
    def log(self) -> Log:
        """The log."""

    @property
    def keys(self) -> Authenticator:
        """API keys."""

    @property
    def policies(self) -> PolicyBook:
        """Written policies."""

    @property
    def metrics(self) -> Metrics:
        """What operators count."""

    @property
    def health(self) -> Health:
        """Readiness."""

    @property
    def clock(self) -> Clock:
        """The time."""


class Backbone(Reading, Protocol):
    """The parts the portal serves."""

    @property
    def publisher(self) -> Publisher:
        """The door."""

    @property
    def quarantine(self) -> Quarantine:
        """What was refused."""

    @property
    def opener(self) -> Opener:
        """Reads of sealed fields."""

    @property
    def proposals(self) -> Proposals:
        """Merge proposals."""

    async def refold(self, case_ids: Sequence[str], *, by: str, strays: bool = False) -> None:
        """Write cases anew from the log; `by` is the API key's id. Raises `NotOnThisEngine` where cases are folded by
        others."""
