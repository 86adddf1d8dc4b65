"""One case takes so many events and no more; what is said of its links, and what takes facts out of it, always."""

from __future__ import annotations

import pytest

from ccr_events.core import fold as folding
from ccr_events.core.fold import CaseFull, fold
from ccr_events.core.view import CaseView
from tests.support.core_rules import BOOK, fact


def test_a_full_case_takes_answers_and_a_split_but_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MAX_FACTS_OF_A_CASE", 2)
    view = CaseView("case-1")
    for number in (1, 2):
        view = fold(view, fact(number, "arrest.made", number, dv="yes"), BOOK)
    with pytest.raises(CaseFull, match="case case-1 holds 2 events, and 2 is the most"):
        fold(view, fact(3, "arrest.made", 3, dv="yes"), BOOK)
    assert fold(view, fact(2, "arrest.made", 2, dv="yes"), BOOK) is view
    link = min(view.links)
    view = fold(view, fact(4, "link.notified", 4, link_id=link), BOOK)
    assert view.links[link].notified_at is not None
    view = fold(view, fact(5, "case.split", 5, agency="ccr", into="case-2", moved=[]), BOOK)
    assert len(view.facts) == 4
    ended = fact(6, "case.absorption_ended", 6, agency="ccr", origin_case="case-3", rule_id="a merge")
    assert len(fold(view, ended, BOOK).facts) == 5
