"""What the SQL store leaves to the casebook's workers and the projection: asked for here, a clear refusal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from ccr_events.core.model import Fact, Link, Transition
from ccr_events.core.view import CaseView
from services.engine.ports import LogRecord
from services.engine.transaction import Deadline


class NotInThisStore(TypeError):
    """The SQL store of the Kafka engine does not do this; says who does."""


class NoDeadlines:
    """Implements `services.engine.transaction.DeadlineStore`."""

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Refused."""
        _refuse("deadlines fire where the partition of their case is folded: the casebook's workers keep them")

    def next_at(self) -> datetime | None:
        """Refused."""
        _refuse("deadlines fire where the partition of their case is folded; see `Counts.figures` for the earliest")


class NoOutbox:
    """Implements `services.engine.transaction.Outbox`."""

    def add(self, transitions: Sequence[Transition], *, position: int, recorded_at: datetime, alerting: bool) -> None:
        """Refused."""
        _refuse("transitions come from ccr.links by `Projection.project_transitions`")


class NoRewriting:
    """Implements `services.engine.transaction.CaseRewriting`."""

    def positions(self, case_ids: Collection[str]) -> dict[str, list[int]]:
        """Refused."""
        _refuse(_REFOLD)

    def records(self, case_id: str, positions: Collection[int]) -> list[LogRecord]:
        """Refused."""
        _refuse(_REFOLD)

    def put(self, view: CaseView, facts: Mapping[int, Fact]) -> None:
        """Refused."""
        _refuse(_REFOLD)

    def sweep(self) -> None:
        """Refused."""
        _refuse(_REFOLD)


_REFOLD = "cases are folded anew by the casebook's workers, from ccr.events"


def no_view_is_put(view: CaseView) -> NoReturn:
    """Refused."""
    _refuse("views are kept by the casebook's workers; here a case is its events and links")


def no_link_is_changed(case_id: str, links: Iterable[Link] | Iterable[str]) -> NoReturn:
    """Refused."""
    _refuse("links follow from transitions: they are changed by `Projection.project_transitions`")


def _refuse(why: str) -> NoReturn:
    raise NotInThisStore(f"not in the SQL store: {why}")
