"""The effective facts of a case, arranged for the questions rules ask. Immutable; grows by one fact at a time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ccr_events.core.corrections import effective
from ccr_events.core.model import Fact
from ccr_events.core.persistent import with_one

_NONE: tuple[Fact, ...] = ()
"""No facts."""


def _order(fact: Fact) -> tuple[object, str]:
    return fact.order


class FactIndex(Struct, frozen=True):
    """Implements `ccr_events.core.rules.Facts`."""

    by_type: dict[str, tuple[Fact, ...]] = {}
    by_link: Mapping[str, tuple[Fact, ...]] = {}
    """Link id → the `link.*` events about it."""
    roots: Mapping[str, str] = {}
    """Fact id → root id, for corrected facts only."""
    replaced: Mapping[str, Fact] = {}
    """Root id → the fact that counts in its place, for corrected facts only."""
    editions: frozenset[str] = frozenset()
    """Editions of the facts."""

    def of_type(self, name: str) -> Sequence[Fact]:
        """Effective facts of that type, in canonical order."""
        return self.by_type.get(name, _NONE)

    def about(self, link: str) -> Sequence[Fact]:
        """Effective `link.*` facts about one link, in canonical order."""
        return self.by_link.get(link, _NONE)

    def root(self, fact: Fact) -> str:
        """Root id of an effective fact."""
        return self.roots.get(fact.id, fact.id)

    def grown(self, fact: Fact) -> FactIndex:
        """The index with one more fact, which corrects nothing and is corrected by nothing."""
        link = link_of(fact)
        editions = self.editions if fact.edition in self.editions else self.editions | {fact.edition}
        return FactIndex(
            {**self.by_type, fact.type: _inserted(self.by_type.get(fact.type), fact)},
            self.by_link if link is None else with_one(self.by_link, link, _inserted(self.by_link.get(link), fact)),
            self.roots,
            self.replaced,
            editions,
        )


def link_of(fact: Fact) -> str | None:
    """The link a `link.*` event is about; None for every other fact."""
    if not fact.type.startswith("link."):
        return None
    link: str | None = fact.data.get("link_id")
    return link


def _inserted(group: tuple[Fact, ...] | None, fact: Fact) -> tuple[Fact, ...]:
    if group is None:
        return (fact,)
    if group[-1].occurred_at < fact.occurred_at or group[-1].order < fact.order:
        return (*group, fact)
    members = list(group)
    insort(members, fact, key=_order)
    return tuple(members)


def of_uncorrected(facts: Sequence[Fact]) -> FactIndex:
    """The index of facts in canonical order, none of which corrects or moves another."""
    by_type: dict[str, list[Fact]] = {}
    by_link: dict[str, list[Fact]] = {}
    for fact in facts:
        by_type.setdefault(fact.type, []).append(fact)
        if (link := link_of(fact)) is not None:
            by_link.setdefault(link, []).append(fact)
    return FactIndex(
        {name: tuple(group) for name, group in by_type.items()},
        {link: tuple(group) for link, group in by_link.items()},
        editions=frozenset([fact.edition for fact in facts]),
    )


def build(facts: Mapping[str, Fact]) -> FactIndex:
    """The index of a set of facts; corrected and retracted ones left out."""
    by_type: dict[str, list[Fact]] = {}
    by_link: dict[str, list[Fact]] = {}
    roots: dict[str, str] = {}
    replaced: dict[str, Fact] = {}
    for root, fact in effective(facts):
        by_type.setdefault(fact.type, []).append(fact)
        if (link := link_of(fact)) is not None:
            by_link.setdefault(link, []).append(fact)
        if root != fact.id:
            roots[fact.id] = root
            replaced[root] = fact
    return FactIndex(
        {name: tuple(sorted(group, key=_order)) for name, group in by_type.items()},
        {link: tuple(sorted(group, key=_order)) for link, group in by_link.items()},
        roots,
        replaced,
        frozenset(fact.edition for group in by_type.values() for fact in group),
    )
