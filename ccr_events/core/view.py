"""The view of a case: the set of its facts and the links derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link
from ccr_events.core.waiting import RuleKey, Waiting


@dataclass(frozen=True, slots=True)
class CaseView:
    """The state of a case. `index`, `corrected` and `waiting` are derived, so they are not compared
    nor stored."""

    case_id: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By event id, every fact ever received, also corrected ones."""
    links: Mapping[str, Link] = field(default_factory=dict)
    """By link id."""
    index: FactIndex = field(default_factory=FactIndex, compare=False, repr=False)
    """The effective facts, arranged."""
    corrected: frozenset[str] | None = field(default=frozenset(), compare=False, repr=False)
    """Ids that corrections and retractions name, known facts or not; None once facts move between cases."""
    waiting: Mapping[RuleKey, Waiting] | None = field(default=None, compare=False, repr=False)
    """Which links acts can still change; None: to be found when the next fact comes."""
