"""The view of a case: the set of its facts and the links derived from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link


@dataclass(frozen=True, slots=True)
class CaseView:
    """The state of a case. `index` and `corrected` are derived from `facts`, so neither is compared nor stored."""

    case_id: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By event id, every fact ever received, also corrected ones."""
    links: Mapping[str, Link] = field(default_factory=dict)
    """By link id."""
    index: FactIndex = field(default_factory=FactIndex, compare=False, repr=False)
    """The effective facts, arranged."""
    corrected: frozenset[str] | None = field(default=frozenset(), compare=False, repr=False)
    """Ids that corrections and retractions name, known facts or not; None once facts move between cases."""
