"""A view that was packed is the view it was, and folds on as if it had never been packed."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ccr_events.core import packed
from ccr_events.core.codec import encode_view
from ccr_events.core.fold import fold
from ccr_events.core.model import Fact
from ccr_events.core.packed import Packer
from ccr_events.core.view import CaseView
from tests.ccr_events.policy.test_laws import BOOK, POOL, folded, histories

PACKER = Packer()


@given(histories(), st.integers(0, 12), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_a_packed_view_folds_on_as_it_would_have(facts: list[Fact], cut: int, rng: random.Random) -> None:
    rng.shuffle(facts)
    view = folded(facts[:cut])
    again = PACKER.unpack(PACKER.pack(view))
    assert again == view
    assert (again.index, again.corrected) == (view.index, view.corrected)
    for fact in facts[cut:]:
        again = fold(again, fact, BOOK)
    assert encode_view(again) == encode_view(folded(facts))


def test_views_packed_before_and_after_the_dictionary_is_full_are_both_read() -> None:
    packer, kept = Packer(), list[tuple[bytes, CaseView]]()
    views = [folded([*POOL[n : n + 9], POOL[0]]) for n in range(40)]
    while len(kept) < 200:
        view = views[len(kept) % len(views)]
        kept.append((packer.pack(view), view))
    assert {raw[:1] for raw, _ in kept} == {packed._PLAIN, packed._SHARED}
    first, last = kept[0], kept[-len(views)]
    assert first[1] is last[1]
    assert len(last[0]) < len(first[0]) * 0.6
    assert all(packer.unpack(raw) == view for raw, view in kept)


def test_a_view_of_moved_facts_is_packed_whole() -> None:
    absorbed = Fact(
        "00000000-0000-4000-8000-000000000001", "case.merged", "ccr", "case-1", POOL[0].occurred_at,
        POOL[0].occurred_at, BOOK.editions[0].id, {"into": "case-2"},
    )  # fmt: skip
    view = folded([POOL[0], absorbed, POOL[1]])
    again = PACKER.unpack(PACKER.pack(view))
    assert (again, again.index, again.corrected) == (view, view.index, None)
    assert PACKER.unpack(PACKER.pack(CaseView("empty"))) == CaseView("empty")
