"""The view of a case: the set of its facts and the links derived from them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact, Link
from ccr_events.core.waiting import RuleKey, Waiting

_EMPTY = FactIndex()


class CaseView(Struct, frozen=True, eq=False, repr_omit_defaults=True):
    """The state of a case. All but its facts and links is derived, so it is not compared nor stored."""

    case_id: str
    facts: Mapping[str, Fact] = {}
    """By event id, every fact ever received, also corrected ones."""
    links: Mapping[str, Link] = {}
    """By link id."""
    index: FactIndex = _EMPTY
    """The effective facts, arranged."""
    corrected: frozenset[str] | None = frozenset()
    """Ids that corrections and retractions name, known facts or not; None once facts move between cases."""
    waiting: Mapping[RuleKey, Waiting] | None = None
    """Which links acts can still change; None in a small case, and until a fact comes to a large one."""

    def __eq__(self, other: object) -> bool:
        """Whether the two hold the same facts and links of one case."""
        if not isinstance(other, CaseView):
            return NotImplemented
        return (
            self.case_id == other.case_id
            and dict(self.facts) == dict(other.facts)
            and dict(self.links) == dict(other.links)
        )

    def __ne__(self, other: object) -> bool:
        """The opposite; a struct has one of its own."""
        return not self == other

    __hash__ = None  # type: ignore[assignment]
