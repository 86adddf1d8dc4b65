"""The token bucket."""

from __future__ import annotations

import pytest

from services.portal import rate
from services.portal.rate import Buckets, Rate


class _Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_bucket_fills_with_time_up_to_its_burst() -> None:
    seconds = _Seconds()
    buckets = Buckets(Rate(per_second=2, burst=4), seconds)
    assert [buckets.take("a") for _ in range(5)] == [0, 0, 0, 0, 0.5]
    assert buckets.take("b", 4) == 0
    seconds.now = 1.0
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0.5]
    seconds.now = 100.0
    assert buckets.take("a", 3) == 0
    assert buckets.take("a", 2) == 0.5


def test_more_than_a_burst_costs_the_whole_burst() -> None:
    seconds = _Seconds()
    buckets = Buckets(Rate(per_second=1, burst=4), seconds)
    assert buckets.take("a", 1_000) == 0
    assert buckets.take("a", 1_000) == 4


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate, "MAX_KEYS", 2)
    buckets = Buckets(Rate(per_second=0.001, burst=1), _Seconds())
    assert [buckets.take(key) for key in "abca"] == [0, 0, 0, 0]
