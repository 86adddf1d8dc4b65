"""Casebook workers without a broker: cases on partitions that are folded in any order, and what they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from ccr_events.core.fold import step
from ccr_events.core.model import Fact, Link
from ccr_events.core.view import CaseView
from services.casebook.recorder import carried
from services.engine.sql import Consumed, Dropped, Said, Told, Untold
from services.engine.transaction import NewRecord
from tests.support.core_rules import BOOK
from tests.support.records import record

EVENTS, LINKS = "ccr.events", "ccr.links"


@dataclass
class Casebooks:
    """A partition for every case; each folds its events in the order in which they were written there."""

    events: dict[str, list[tuple[Fact, bytes]]] = field(default_factory=dict)
    links: dict[str, list[Said]] = field(default_factory=dict)
    views: dict[str, CaseView] = field(default_factory=dict)
    first: int = 0
    """Offset of the first event of every partition: before it lie those of other cases."""
    _folded: dict[str, int] = field(default_factory=dict)

    def accept(self, *facts: Fact) -> None:
        """As intake does."""
        for each in facts:
            made = record(each)
            self._write(made.fact, made.body)

    def fold_all(self, chance: Random) -> None:
        """Fold everything, one event of any partition after the other."""
        while waiting := [case for case, log in self.events.items() if self._folded.get(case, 0) < len(log)]:
            self._fold_next(chance.choice(sorted(waiting)))

    def repartition(self) -> None:
        """Everything is copied to other topics, where offsets begin anew."""
        for case, number in self.partitions.items():
            self.links[case] = [replace(one, origin=f"{LINKS}/{number}") for one in self.links[case]]
        self.first = 0

    @property
    def partitions(self) -> dict[str, int]:
        return {case: number for number, case in enumerate(sorted(self.events))}

    @property
    def held(self) -> dict[str, tuple[str, Link]]:
        """Link id → the case that holds it, and the link."""
        return {i: (case, link) for case, view in self.views.items() for i, link in view.links.items()}

    def consumed(self, case: str) -> list[Consumed]:
        return [Consumed(offset, body) for offset, (_, body) in enumerate(self.events[case])]

    def _fold_next(self, case: str) -> None:
        fact, _ = self.events[case][self._folded.get(case, 0)]
        self._folded[case] = self._folded.get(case, 0) + 1
        done = step(self.views.get(case, CaseView(case)), fact, BOOK)
        self.views[case] = done.view
        log = self.links.setdefault(case, [])
        at, cause = fact.recorded_at, self.first + self._folded[case] - 1
        log += [Told(len(log) + n, case, t, at, True, cause) for n, t in enumerate(done.transitions)]
        told = {t.link.id: t.link for t in done.transitions}
        untold = [link for link in done.changed if told.get(link.id) != link]
        log += [Untold(len(log) + n, case, link, at, cause) for n, link in enumerate(untold)]
        gone = [link_id for link_id in done.removed if link_id not in told]
        log += [Dropped(len(log) + n, case, link_id, at, cause) for n, link_id in enumerate(gone)]
        for sent in done.outbound:
            made = carried(sent, NewRecord(fact, b"", b""))
            self._write(made.fact, made.body)

    def _write(self, fact: Fact, body: bytes) -> None:
        self.events.setdefault(fact.case_id, []).append((fact, body))
        self.links.setdefault(fact.case_id, [])


def pieces(chance: Random, length: int) -> Sequence[range]:
    """A log of that length in batches of any size, some of it read again."""
    found: list[range] = []
    at = 0
    while at < length:
        first = max(0, at - chance.choice((0, 0, 1, 3)))
        at = min(length, at + chance.randint(1, 4))
        found.append(range(first, at))
    return found
