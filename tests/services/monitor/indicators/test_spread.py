"""Quantiles are exact until there are many different lengths, and parts add up to the whole."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.monitor.indicators import spread
from services.monitor.indicators.spread import Spread


def of(*seconds: int) -> Spread:
    made = Spread()
    for one in seconds:
        made.add(timedelta(seconds=one))
    return made


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=60), st.sampled_from([0.5, 0.9]))
def test_a_quantile_is_the_length_so_many_do_not_exceed(seconds: list[int], share: float) -> None:
    found = of(*seconds).quantile(share)
    assert found is not None
    at_most = sum(timedelta(seconds=s) <= found for s in seconds)
    below = sum(timedelta(seconds=s) < found for s in seconds)
    assert at_most >= share * len(seconds) > below or below == 0


@given(st.lists(st.integers(0, 10**6), max_size=40), st.lists(st.integers(0, 10**6), max_size=40))
def test_parts_add_up(some: list[int], others: list[int]) -> None:
    whole = of(*some)
    whole.merge(of(*others))
    assert whole.counts == of(*some, *others).counts


def test_nothing_has_no_quantile() -> None:
    assert Spread().quantile(0.5) is None


def test_memory_is_bounded_and_the_error_small() -> None:
    rng = random.Random(1)
    seconds = [rng.randrange(10**7) for _ in range(3 * spread.MAX_LENGTHS)]
    made = of(*seconds)
    other = of(*seconds[:100])
    made.merge(other)
    assert len(made.counts) <= spread.MAX_LENGTHS
    assert made.n == len(seconds) + 100
    exact = sorted([*seconds, *seconds[:100]])[(len(seconds) + 100) // 2]
    found = made.quantile(0.5)
    assert found is not None
    assert abs(found.total_seconds() - exact) <= 2 * made.step_s
