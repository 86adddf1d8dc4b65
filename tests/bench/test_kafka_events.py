"""The events of the Kafka bench, and what is asked of every changelog behind a run."""

from __future__ import annotations

import orjson
import pytest

from bench.kafka_events import EVENT_BYTES, OPEN_CASES, PARTITIONS, PER_CASE, event, whole, wrong
from bench.kafka_fold import Fold, View

EVENTS = OPEN_CASES * PER_CASE


@pytest.fixture(scope="module")
def views() -> dict[bytes, View]:
    fold, folded = Fold(EVENTS, 1), {}
    for number in range(EVENTS):
        key, value, _ = event(number)
        folded[key] = fold(folded.get(key), value)
    assert fold.done
    return folded


def test_every_event_is_json_of_one_size_and_a_case_stays_in_its_partition() -> None:
    places: dict[bytes, int] = {}
    for number in range(0, 3 * EVENTS, 997):
        key, value, partition = event(number)
        assert len(value) == EVENT_BYTES
        assert orjson.loads(value)["case"] == key.decode()
        assert places.setdefault(key, partition) == partition < PARTITIONS


def test_partitions_hold_equally_many_events() -> None:
    partitions = [event(number)[2] for number in range(EVENTS)]
    assert {partitions.count(each) for each in range(PARTITIONS)} == {EVENTS // PARTITIONS}


def test_views_of_all_events_are_right(views: dict[bytes, View]) -> None:
    assert wrong(views, EVENTS) is None


@pytest.mark.parametrize("change", ["lost", "twice", "case", "last", "types"])
def test_a_view_that_lacks_or_doubles_something_is_wrong(views: dict[bytes, View], change: str) -> None:
    key, view = next(iter(views.items()))
    spoilt = {**view, "types": dict(view["types"])}
    if change in ("lost", "twice"):
        spoilt["count"] += 1 if change == "twice" else -1
    elif change == "last":
        spoilt["last"] = f"{int(view['last']) - OPEN_CASES:012d}"
    elif change == "types":
        first, second, *_ = spoilt["types"]
        spoilt["types"][first] += 1
        spoilt["types"][second] -= 1
    changed = {**views, key: spoilt}
    if change == "case":
        del changed[key]
    assert wrong(changed, EVENTS) is not None


def test_a_number_of_events_is_rounded_up_to_whole_cases() -> None:
    assert [whole(number) for number in (1, EVENTS, EVENTS + 1)] == [EVENTS, EVENTS, 2 * EVENTS]
