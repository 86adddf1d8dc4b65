"""A condition once compiled, and the place where it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ccr_events.core.model import Fact
from ccr_events.core.rules import Condition, Facts
from ccr_events.policy.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition that can be asked, said in words and taken apart."""

    test: Condition
    words: str
    form: Literal["all", "any", "not", "one"] = "one"
    parts: tuple[Compiled, ...] = ()
    mentions: frozenset[str] = frozenset()
    """Event types other than the fact's own that the answer depends on."""
    later: frozenset[str] = frozenset()
    """Those of `mentions` whose facts count also when they are later than the fact asked of."""
    stirred: Condition | None = None
    """(a new fact of a type in `mentions`, the case's facts with it) → whether it can have changed the answer for any
    fact; None: nothing can."""
    ensures: frozenset[str] = frozenset()
    """Fields that are surely there when it holds."""


def any_stirred(parts: Iterable[Compiled]) -> Condition | None:
    """`Compiled.stirred` of what is made of these."""
    tests = tuple(part.stirred for part in parts if part.stirred is not None)
    if len(tests) < 2:  # none, or the only one
        return tests[0] if tests else None

    def stirred(fact: Fact, facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110
            if test(fact, facts):
                return True
        return False

    return stirred


@dataclass(frozen=True, slots=True)
class Place:
    """Where a condition stands: which facts it is asked of, and whether these are triggers."""

    vocabulary: Vocabulary
    types: tuple[str, ...]
    is_trigger: bool
    depth: int = 0

    def inside(self) -> Place:
        """One level deeper."""
        return Place(self.vocabulary, self.types, self.is_trigger, self.depth + 1)
