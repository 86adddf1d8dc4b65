"""A store that was filled from another Kafka is noticed, not fed in silence."""

from __future__ import annotations

import pytest
from faust.types import TP

from services.monitor.projection.ahead import StoreAhead, require_behind


def test_a_store_is_at_most_as_far_as_its_topics() -> None:
    first, second = TP("ccr.links", 0), TP("ccr.links", 1)
    require_behind({first: 7, second: 0}, {first: 7, second: 3})
    with pytest.raises(StoreAhead, match=r"ccr\.links, partition 1: it ends at 3, the store was brought to 4"):
        require_behind({first: 7, second: 4}, {first: 7, second: 3})
