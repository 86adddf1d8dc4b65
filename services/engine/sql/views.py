"""A case as its events and links, put together when it is asked for. Implements `ViewStore`; nothing folds here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ccr_events.core.fold import arranged
from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from ccr_events.envelope import read_fact
from services.engine.sql.absent import no_view_is_put
from services.engine.sql.events import SqlEvents
from services.engine.sql.links import SqlLinks


class Loaded(NamedTuple):
    """What a view is made of."""

    facts: Mapping[str, Fact]
    links: Mapping[str, Link]


Afresh = Callable[[str], Loaded]
"""Reads a case as it is committed."""


class SqlViews:
    """Views of one transaction."""

    def __init__(self, events: SqlEvents, links: SqlLinks, afresh: Afresh | None = None) -> None:
        """`afresh` reads a case outside of the transaction. With it, a view reads its facts only when they are looked
        at: intake asks for little more than how many there are. Without, it is whole at once."""
        self._events = events
        self._links = links
        self._afresh = afresh
        self._work = 0

    def get(self, case_id: str) -> CaseView:
        """The view; an empty one for a case without events."""
        if self._afresh is None:
            return whole(case_id, self.load(case_id))
        afresh, work = self._afresh, self._work

        def load() -> Loaded:
            return self.load(case_id) if work == self._work else afresh(case_id)

        return _StoredView(case_id, _Facts(load, self._events.count_of_case(case_id)))

    def put(self, view: CaseView) -> None:
        """Refused."""
        no_view_is_put(view)

    def load(self, case_id: str) -> Loaded:
        """The facts and links of a case."""
        facts = [read_fact(record.body) for record in self._events.of_case(case_id)]
        return Loaded({fact.id: fact for fact in facts}, self._links.held_by(case_id) if facts else {})

    def next_work(self) -> None:
        """Views of the work before read on their own from now on."""
        self._work += 1


def whole(case_id: str, loaded: Loaded) -> CaseView:
    """The view of what was loaded."""
    return CaseView(case_id, loaded.facts, loaded.links, *arranged(loaded.facts))


class _Facts(Mapping[str, Fact]):
    """Facts of a case; how many is known at once, the rest is read at the first look."""

    def __init__(self, load: Callable[[], Loaded], count: int) -> None:
        self._load = load
        self._count = count
        self._loaded: CaseView | None = None

    def view(self, case_id: str) -> CaseView:
        """The whole view."""
        if self._loaded is None:
            self._loaded = whole(case_id, self._load())
        return self._loaded

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return iter(self.view("").facts)

    def __getitem__(self, event_id: str) -> Fact:
        return self.view("").facts[event_id]


class _StoredView(CaseView, frozen=True, eq=False):
    """A view whose links and index are read with its facts."""

    @property  # type: ignore[misc]
    def links(self) -> Mapping[str, Link]:
        """By link id."""
        return self._whole().links

    @property  # type: ignore[misc]
    def index(self) -> FactIndex:
        """The effective facts, arranged."""
        return self._whole().index

    @property  # type: ignore[misc]
    def corrected(self) -> frozenset[str] | None:
        """See `CaseView`."""
        return self._whole().corrected

    def _whole(self) -> CaseView:
        facts = self.facts
        return facts.view(self.case_id) if isinstance(facts, _Facts) else CaseView(self.case_id, facts)
