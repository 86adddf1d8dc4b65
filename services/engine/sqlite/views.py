"""Case views: facts and links put together, in a cache of bounded size. Implements `ViewStore`."""

from __future__ import annotations

from collections import OrderedDict

from ccr_events.core.fold import arranged
from ccr_events.core.view import CaseView
from services.engine.sqlite.buffer import Buffer
from services.engine.sqlite.cases import CaseNumbers
from services.engine.sqlite.connections import Executing
from services.engine.sqlite.events import stored_facts
from services.engine.sqlite.links import stored_links

CACHED_FACTS = 100_000
"""Facts of all cached views together (about 250 MB with their links)."""


class SqliteViews:
    """The newest views are kept; a view the current group changed stays until the group is stored."""

    __slots__ = ("_cache", "_cached_facts", "_cases", "_connection", "_new", "_writable")

    def __init__(self, connection: Executing, cases: CaseNumbers, *, writable: bool) -> None:
        self._connection = connection
        self._cases = cases
        self._new: Buffer[str, CaseView] = Buffer(writable=writable)
        self._cache: OrderedDict[str, CaseView] = OrderedDict()
        self._cached_facts = 0
        self._writable = writable

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""
        view = self._new.get(case_id)
        if view is not None:
            return view
        view = self._cache.get(case_id)
        if view is not None:
            self._cache.move_to_end(case_id)
            return view
        view = self._load(case_id)
        self._keep(view)
        return view

    def put(self, view: CaseView) -> None:
        """The new state of a case."""
        self._new.put(view.case_id, view)

    def settle(self) -> None:
        """See `Buffer.settle`."""
        self._new.settle()

    def take_back(self) -> None:
        """See `Buffer.take_back`."""
        self._new.take_back()

    def hand_over(self) -> None:
        """See `Buffer.hand_over`."""
        self._new.hand_over()

    def landed(self) -> None:
        """Facts and links are on disk by now: the cache may hold the views."""
        for view in self._new.handed.values():
            self._keep(view)
        self._new.landed()

    def forget(self) -> None:
        """The group failed: what is in memory may not be on disk."""
        self._new.clear()
        self._cache.clear()
        self._cached_facts = 0

    def _load(self, case_id: str) -> CaseView:
        return load_view(self._connection, case_id, self._cases.find(case_id))

    def _keep(self, view: CaseView) -> None:
        if not self._writable or not view.facts:
            return
        before = self._cache.pop(view.case_id, None)
        self._cached_facts += len(view.facts) - (0 if before is None else len(before.facts))
        self._cache[view.case_id] = view
        while self._cached_facts > CACHED_FACTS and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_facts -= len(oldest.facts)


def load_view(connection: Executing, case_id: str, number: int | None) -> CaseView:
    """The view as it is on disk; `number` is the case's."""
    if number is None:
        return CaseView(case_id)
    facts = stored_facts(connection, number)
    if not facts:
        return CaseView(case_id)
    return CaseView(case_id, facts, stored_links(connection, number), *arranged(facts))
