"""Views kept ready to fold on, as many as a number of facts allows; the ones used longest ago make way."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from ccr_events.core.view import CaseView


class Ready(NamedTuple):
    """A view as it is in the file."""

    view: CaseView
    next_at: int | None
    """Its earliest pending deadline, in microseconds since 1970."""


class ReadyViews:
    """Bounded: a view larger than everything allowed is kept alone."""

    __slots__ = ("_facts", "_held", "_limit")

    def __init__(self, facts: int) -> None:
        """`facts`: how many all views together may have."""
        self._limit = facts
        self._facts = 0
        self._held: OrderedDict[str, Ready] = OrderedDict()

    def get(self, case_id: str) -> Ready | None:
        """The view, used just now."""
        found = self._held.get(case_id)
        if found is not None:
            self._held.move_to_end(case_id)
        return found

    def keep(self, ready: Ready) -> None:
        """Keep this one, in place of an older one of its case."""
        self.pop(ready.view.case_id)
        self._held[ready.view.case_id] = ready
        self._facts += len(ready.view.facts)
        self._make_way()

    def pop(self, case_id: str) -> Ready | None:
        """Take it out."""
        found = self._held.pop(case_id, None)
        if found is not None:
            self._facts -= len(found.view.facts)
        return found

    def resize(self, facts: int) -> None:
        """Allow so many facts from now on."""
        self._limit = facts
        self._make_way()

    def clear(self) -> None:
        """Keep none."""
        self._held.clear()
        self._facts = 0

    def _make_way(self) -> None:
        while self._facts > self._limit and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self._facts -= len(oldest.view.facts)
