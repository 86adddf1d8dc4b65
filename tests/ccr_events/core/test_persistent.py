"""Mappings grow and the ones they grew from stay as they were, small or large."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from ccr_events.core.persistent import LARGE, with_many, with_one


@given(
    st.integers(0, LARGE + 5),
    st.lists(st.tuples(st.integers(0, 2 * LARGE), st.integers()), max_size=20),
    st.sets(st.integers(0, 2 * LARGE)),
)
def test_what_grew_has_it_and_what_it_grew_from_has_not(
    size: int, entries: list[tuple[int, int]], leaving: set[int]
) -> None:
    held: Mapping[int, int] = {n: n for n in range(size)}
    expected = dict(held)
    for key, value in entries:
        before = dict(held)
        grown = with_one(held, key, value)
        assert dict(held) == before
        held, expected = grown, {**expected, key: value}
        assert dict(held) == expected
    gone = sorted(leaving & expected.keys())
    fewer = with_many(held, {-1: 1}, gone)
    assert dict(held) == expected
    assert dict(fewer) == {-1: 1, **{k: v for k, v in expected.items() if k not in leaving}}
