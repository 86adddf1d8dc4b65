"""Which deadlines the owner of a partition fires, each once: it remembers what it fired until folding it took it away.

A deadline is fired by an event on `ccr.events`, whose id is derived, so that firing it twice changes nothing. One that
is still pending long after its event was written is fired again: the event may belong to a case that was merged into
this one, and reaches it by another partition.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from services.casebook.deadline_reached import deadline_record
from services.engine.transaction import Deadline, NewRecord

PAGE = 500
"""Deadlines fired at once."""
AGAIN_AFTER_S = 60.0
"""When one that was fired is still pending, it is fired again after this long."""


class Pending(Protocol):
    """The pending deadlines of a partition."""

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Those at or before `now`, in firing order."""


class Firing:
    """What was fired for one partition and is not folded yet."""

    def __init__(self, edition_at: Callable[[datetime], str]) -> None:
        """`edition_at`: id of the policy edition in force at an instant."""
        self._edition_at = edition_at
        self._fired: dict[Deadline, float] = {}

    @property
    def unfolded(self) -> int:
        """How many were fired and are still pending."""
        return len(self._fired)

    def note(self, deadline: Deadline, now_s: float) -> None:
        """It was fired in another way."""
        self._fired[deadline] = now_s

    def fire(
        self,
        views: Pending,
        now: datetime,
        now_s: float,
        recorded_after: datetime | None,
        is_history: Callable[[Deadline], bool],
    ) -> list[NewRecord]:
        """The events of at most `PAGE` deadlines that have passed, in firing order.

        `now_s`: monotonic clock. `recorded_after`: the newest `recorded_at` folded in the partition; the events are
        recorded no earlier, though the clock may be set back. `is_history`: whether a deadline is to alert nobody.
        """
        due = views.due(now, PAGE + len(self._fired))
        pending = set(due)
        self._fired = {deadline: at_s for deadline, at_s in self._fired.items() if deadline in pending}
        recorded_at = now if recorded_after is None else max(now, recorded_after)
        records: list[NewRecord] = []
        for deadline in due:
            if now_s - self._fired.get(deadline, -AGAIN_AFTER_S) < AGAIN_AFTER_S:
                continue
            if len(records) == PAGE:
                break
            edition = self._edition_at(recorded_at)
            records.append(deadline_record(deadline, recorded_at, edition, alerting=not is_history(deadline)))
            self._fired[deadline] = now_s
        return records
