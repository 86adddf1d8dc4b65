"""Cases of many alike events under the packaged policies: what grew fact by fact is what all facts say together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ccr_events.core import ids
from ccr_events.core.fold import fold, refold
from ccr_events.core.index import FactIndex
from ccr_events.core.model import Fact
from ccr_events.core.view import CaseView
from tests.ccr_events.policy.test_laws import BOOK, EDITIONS, POOL, answers, reached

pytestmark = pytest.mark.usefixtures("sizes")

RULES = [rule for edition in BOOK.editions for link in edition.links.values() for rule in [link.rule]]
BY_RULE = {
    (rule.edition, rule.key): [
        fact for fact in POOL if fact.type in rule.trigger_types | rule.act_types | rule.asks | rule.acts_ask
    ]
    for rule in RULES
}


@st.composite
def crowds(draw: st.DrawFn) -> list[Fact]:
    """Facts that all have to do with one rule, many times over, at any time and in any order; some taken back."""
    pool = BY_RULE[draw(st.sampled_from(sorted(key for key, found in BY_RULE.items() if found)))]
    facts: list[Fact] = []
    for number in range(draw(st.integers(2, 18))):
        one = draw(st.sampled_from(pool))
        later = timedelta(hours=draw(st.integers(-60, 60)))
        facts.append(
            replace(
                one,
                id=ids.derived("crowd", one.id, str(number)),
                occurred_at=one.occurred_at + later,
                recorded_at=one.recorded_at + later + timedelta(minutes=number),
                edition=draw(st.sampled_from(EDITIONS)),
            )
        )
    links = sorted(refold("case-1", {f.id: f for f in facts}, BOOK).links.values(), key=lambda link: link.id)
    for link in draw(st.lists(st.sampled_from(links), max_size=4)) if links else []:
        facts += draw(st.lists(st.sampled_from([*answers(link), *reached(link)]), max_size=3))
    for _ in range(draw(st.integers(0, 2))):
        old, new = draw(st.sampled_from(facts)), draw(st.sampled_from(pool))
        again = replace(new, id=ids.derived("again", old.id, new.id), agency=old.agency, corrects=old.id)
        facts.append(draw(st.sampled_from([again, replace(again, type="event.retracted", data={})])))
    return draw(st.permutations(list({fact.id: fact for fact in facts}.values())))


@given(crowds())
@settings(max_examples=50, deadline=None)
def test_what_grew_fact_by_fact_is_what_all_of_them_say(facts: list[Fact]) -> None:
    view = CaseView("case-1")
    for fact in facts:
        before = dict(view.links)
        grown = fold(view, fact, BOOK)
        assert dict(view.links) == before
        view = grown
        whole = refold("case-1", view.facts, BOOK)
        assert dict(view.links) == dict(whole.links)
        assert view.corrected == whole.corrected
        assert arrangement(view.index) == arrangement(whole.index)


@pytest.mark.parametrize(("old", "new"), [(0, 1), (1, 0)])
def test_a_count_that_moves_to_another_edition_is_the_last_word(old: int, new: int) -> None:
    """L24b: service both sets the count of attempts back and satisfies. Reported late, at the hour of two attempts."""

    def told(name: str, type_: str, hours: int, edition: int) -> Fact:
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hours)
        return Fact(name, type_, "le", "case-1", at, at, EDITIONS[edition], {"dv": "unknown"})

    attempt = "ofp.service_attempted"
    facts = [told("a0", attempt, 0, 0), told("a2", attempt, 5, 0), told("a3", attempt, 5, old)]
    facts += [told("a4", attempt, 15, new), told("a1", "ofp.served", 5, 0)]
    view = CaseView("case-1")
    for fact in facts:
        view = fold(view, fact, BOOK)
    assert dict(view.links) == dict(refold("case-1", view.facts, BOOK).links)
    assert (view != replace(view)) is False


def arrangement(index: FactIndex) -> tuple[object, ...]:
    return index.by_type, dict(index.by_link), dict(index.roots), index.replaced, index.editions
