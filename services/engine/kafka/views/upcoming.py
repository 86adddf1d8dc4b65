"""When views that are not in the file yet have their next deadline.

Asked seldom and changed by every event, so a change only leaves a hint: an instant at or before which the view's
earliest deadline may be. A hint is compared with the view when its time comes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from heapq import heapify, heappop, heappush, heapreplace

from ccr_events.core.model import Link
from ccr_events.core.view import CaseView
from services.engine.deadlines import pending_steps
from services.engine.kafka.views.instants import microseconds


def earliest(links: Iterable[Link]) -> int | None:
    """The earliest pending deadline of these links, in microseconds since 1970."""
    times = [step.at for link in links for step in pending_steps(link)]
    return microseconds(min(times)) if times else None


class Upcoming:
    """Hints, earliest first. Every view has one at or before its earliest deadline."""

    __slots__ = ("_compared", "_hints", "_view")

    def __init__(self, view: Callable[[str], CaseView | None]) -> None:
        """`view`: the view of a case that is not in the file as it is now; None when the file has it."""
        self._view = view
        self._hints: list[tuple[int, str]] = []
        self._compared: dict[str, tuple[CaseView, int | None]] = {}

    def hint(self, case_id: str, at: int | None) -> None:
        """A deadline of the case may be at this instant."""
        if at is not None:
            heappush(self._hints, (at, case_id))

    def first(self) -> int | None:
        """The earliest deadline of all."""
        while self._hints:
            hinted, case_id = self._hints[0]
            exact = self._exact(case_id)
            if exact == hinted:
                return hinted
            if exact is None:
                heappop(self._hints)
            else:
                heapreplace(self._hints, (exact, case_id))
        return None

    def until(self, at: int) -> set[str]:
        """Cases with a deadline at or before this instant."""
        found: set[str] = set()
        later: list[tuple[int, str]] = []
        while self._hints and self._hints[0][0] <= at:
            _, case_id = heappop(self._hints)
            if case_id in found:
                continue
            exact = self._exact(case_id)
            if exact is None:
                continue
            later.append((exact, case_id))
            if exact <= at:
                found.add(case_id)
        for each in later:
            heappush(self._hints, each)
        return found

    def keep(self, case_ids: Collection[str]) -> None:
        """The file has all others now."""
        self._hints = [hint for hint in self._hints if hint[1] in case_ids]
        heapify(self._hints)
        self._compared.clear()

    def _exact(self, case_id: str) -> int | None:
        view = self._view(case_id)
        if view is None:
            return None
        compared = self._compared.get(case_id)
        if compared is None or compared[0] is not view:
            compared = self._compared[case_id] = (view, earliest(view.links.values()))
        return compared[1]
