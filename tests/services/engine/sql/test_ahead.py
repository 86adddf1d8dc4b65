"""A store that was filled from another Kafka is noticed, not fed in silence."""

from __future__ import annotations

import pytest

from services.engine.sql.ahead import StoreAhead, require_behind, require_sent


def test_a_store_is_at_most_as_far_as_its_topics() -> None:
    first, second = ("ccr.links", 0), ("ccr.links", 1)
    require_behind({first: 7, second: 0}, {first: 7, second: 3})
    with pytest.raises(StoreAhead, match=r"ccr\.links, partition 1: it ends at 3, the store was brought to 4"):
        require_behind({first: 7, second: 4}, {first: 7, second: 3})


def test_what_was_sent_is_on_kafka() -> None:
    ends = {("ccr.events", 0): 2, ("ccr.events", 1): 3}
    require_sent(5, ends)
    with pytest.raises(StoreAhead, match="the store holds 6 events that were sent, and Kafka holds 5"):
        require_sent(6, ends)
