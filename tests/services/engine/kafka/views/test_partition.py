"""The state of one partition: what is read back, what is due, what a checkpoint has and what an owner keeps."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from services.engine.kafka.batches.outputs import Output, built
from services.engine.kafka.topics.catalogue import MAX_RECORD_BYTES
from services.engine.kafka.views import NotTheOwner, PartitionViews, StateInUse, open_partition
from services.engine.kafka.views.checkpoint import MAX_VALUE_BYTES
from services.engine.kafka.views.instants import microseconds
from services.engine.kafka.views.packing import ViewPacker
from services.engine.kafka.views.records import MARK_KEY, ViewRecord, decode_mark, decode_view
from tests.support.case_views import deadlines_of, link_of_case, minute, view_with

ONE = link_of_case("one", 1, 5, 10)
TWO = link_of_case("two", 1, 7)


def opened(directory: Path, **more: int) -> PartitionViews:
    return open_partition(directory, 3, **{"epoch": 1, **more})


def settled(views: PartitionViews, offset: int) -> None:
    views.settle(views.checkpoint(offset))


def test_a_case_without_events_has_an_empty_view(tmp_path: Path) -> None:
    views = opened(tmp_path)
    assert views.get("one").facts == {}
    assert (views.offset, views.next_at(), views.due(minute(99), 10)) == (0, None, [])
    views.close()


def test_what_is_settled_is_there_when_it_is_opened_again_and_the_rest_is_not(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 2, ONE), [ONE])
    settled(views, 10)
    views.put(view_with("two", 1, TWO), [TWO])
    assert views.next_at() == minute(5)
    views.close()
    again = opened(tmp_path)
    assert again.offset == 10
    assert again.get("one") == view_with("one", 2, ONE)
    assert again.get("two").facts == {}
    assert again.due(minute(99), 10) == deadlines_of(view_with("one", 0, ONE))
    again.close()


def test_a_checkpoint_has_each_changed_view_once_and_the_mark_last(tmp_path: Path) -> None:
    views = opened(tmp_path, epoch=4)
    views.put(view_with("one", 1))
    views.put(view_with("two", 1, TWO), [TWO])
    views.put(view_with("one", 2, ONE), [ONE])
    checkpoint = views.checkpoint(20)
    *records, (key, value) = checkpoint.records
    assert [each for each, _ in records] == [b"one", b"two"]
    read = [ViewRecord(*decode_view(each)) for _, each in records]
    assert [(each.epoch, each.as_of) for each in read] == [(4, 20), (4, 20)]
    assert [ViewPacker().unpack(each.packed or b"") for each in read] == [views.get("one"), views.get("two")]
    mark = decode_mark(value)
    assert (key, mark.epoch, mark.offset, mark.partition, mark.topic) == (MARK_KEY, 4, 20, 3, "ccr.case-views")
    views.settle(checkpoint)
    assert [each for each, _ in views.checkpoint(21).records] == [MARK_KEY]
    views.close()


def test_packing_in_slices_gives_the_same_records(tmp_path: Path) -> None:
    views = opened(tmp_path)
    for number in range(7):
        views.put(view_with(f"case {number}", 1))
    checkpoint = views.checkpoint(1)
    assert list(checkpoint.slices(3)) == [3, 3, 1]
    assert len(checkpoint.records) == 8
    assert checkpoint.records == checkpoint.records
    views.settle(checkpoint)
    views.close()


def test_what_changes_while_a_checkpoint_is_under_way_is_in_the_next(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 1, ONE), [ONE])
    checkpoint = views.checkpoint(1)
    later = link_of_case("one", 1, 8)
    views.put(view_with("one", 2, later), [later])
    assert decode_view(checkpoint.records[0][1])[2] == microseconds(minute(5))
    with pytest.raises(ValueError, match="under way"):
        views.checkpoint(2)
    views.settle(checkpoint)
    assert views.get("one") == view_with("one", 2, later)
    assert views.next_at() == minute(8)
    assert views.due(minute(7), 10) == []
    views.close()
    again = opened(tmp_path)
    assert again.get("one") == view_with("one", 1, ONE)
    assert again.next_at() == minute(5)
    again.close()


def test_a_deadline_ends_with_its_link_before_and_after_it_is_settled(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 1, ONE), [ONE])
    views.put(view_with("two", 1, TWO), [TWO])
    settled(views, 1)
    done = link_of_case("one", 1, 5, 10, ended=True)
    views.put(view_with("one", 2, done), [done])
    assert views.next_at() == minute(7)
    views.put(view_with("two", 2), (), [TWO.id])
    assert views.next_at() is None
    assert views.due(minute(99), 9) == []
    settled(views, 2)
    assert views.next_at() is None
    views.close()


def test_due_is_in_firing_order_and_what_is_left_out_is_not_earlier(tmp_path: Path) -> None:
    views = opened(tmp_path)
    all_views = [view_with(f"case {n}", 1, link_of_case(f"case {n}", 1, 20 - n, 30)) for n in range(12)]
    for view in all_views[:6]:
        views.put(view, view.links.values())
    settled(views, 1)
    for view in all_views[6:]:
        views.put(view, view.links.values())
    expected = deadlines_of(*all_views)
    assert views.due(minute(99), 100) == expected
    assert [views.due(minute(99), limit) for limit in range(1, 9)] == [expected[:limit] for limit in range(1, 9)]
    assert views.due(minute(15), 100) == [each for each in expected if each.at <= minute(15)]
    views.close()


def test_many_deadlines_at_one_instant_all_come_up(tmp_path: Path) -> None:
    views = opened(tmp_path)
    for number in range(30):
        link = link_of_case(f"case {number}", 1, 5)
        views.put(view_with(f"case {number}", 1, link), [link])
    settled(views, 1)
    fired = set()
    while due := views.due(minute(5), 7):
        assert len(due) == 7 or len(fired) > 22
        for each in due:
            fired.add(each.case_id)
            views.put(view_with(each.case_id, 2), (), [each.link_id])
    assert len(fired) == 30
    views.close()


def test_views_that_do_not_fit_in_memory_are_read_from_the_file(tmp_path: Path) -> None:
    views = opened(tmp_path, cache_facts=5)
    made = [view_with(f"case {number}", 3) for number in range(10)]
    for view in made:
        views.put(view)
    settled(views, 1)
    assert [views.get(view.case_id) for view in made] == made
    assert sum(len(each.view.facts) for each in views._ready._held.values()) <= 5
    views.keep_ready(9)
    assert [views.get(view.case_id) for view in made] == made
    assert sum(len(each.view.facts) for each in views._ready._held.values()) == 9
    views.close()


def test_a_view_too_large_for_a_record_stays_here_and_is_to_be_refolded_elsewhere(tmp_path: Path) -> None:
    views = opened(tmp_path, max_value_bytes=200)
    large = view_with("large", 40, ONE)
    views.put(large, [ONE])
    views.put(view_with("small", 0))
    checkpoint = views.checkpoint(1)
    assert all(len(value) <= 200 for _, value in checkpoint.records)
    assert decode_view(checkpoint.records[0][1]) == (1, 1, None, None)
    assert decode_view(checkpoint.records[1][1])[3] is not None
    views.settle(checkpoint)
    views.close()
    again = opened(tmp_path)
    assert again.get("large") == large
    assert again.next_at() == minute(5)
    again.close()


def test_the_largest_value_fits_into_a_record_of_the_topic() -> None:
    largest = Output("ccr.case-views", b"k" * 36, b"v" * MAX_VALUE_BYTES)
    batches, oversized = built([largest], MAX_RECORD_BYTES)
    assert (len(batches), oversized) == (1, [])


def test_only_one_has_the_file_and_only_this_user_may_read_it(tmp_path: Path) -> None:
    views = opened(tmp_path / "state")
    views.put(view_with("one", 1))
    settled(views, 1)
    with pytest.raises(StateInUse, match="in use"):
        opened(tmp_path / "state")
    assert {path.suffix for path in (tmp_path / "state").iterdir()} >= {".sqlite", ".sqlite-wal", ".lock"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (tmp_path / "state").iterdir())
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    views.close()
    views.close()
    opened(tmp_path / "state").close()


def test_records_that_stand_elsewhere_than_expected_tell_of_another_owner(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 1))
    views.settle(views.checkpoint(1), range(0, 2))
    views.put(view_with("one", 2))
    with pytest.raises(NotTheOwner, match="another worker"):
        views.settle(views.checkpoint(2), range(3, 5))
    views.close()
    again = opened(tmp_path)
    assert (again.offset, again.get("one")) == (1, view_with("one", 1))
    again.close()


def test_after_records_of_which_kafka_did_not_say_where_they_stand_it_goes_on(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 1))
    views.settle(views.checkpoint(1), range(0, 2))
    for facts in (2, 3):
        views.put(view_with("one", facts))
        views.settle(views.checkpoint(facts), None)
    views.put(view_with("one", 4))
    views.settle(views.checkpoint(4), range(6, 8))
    assert views.file.standing.read_to == 8
    views.put(view_with("one", 5))
    with pytest.raises(NotTheOwner, match="another worker"):
        views.settle(views.checkpoint(5), range(9, 11))
    views.close()


def test_another_owner_is_told_of_also_after_records_whose_place_is_not_known(tmp_path: Path) -> None:
    views = opened(tmp_path)
    views.put(view_with("one", 1))
    views.settle(views.checkpoint(1), None)
    views.put(view_with("one", 2))
    with pytest.raises(NotTheOwner, match="another worker"):
        views.settle(views.checkpoint(2), range(3, 5))
    views.close()


def test_no_case_takes_the_place_of_the_mark(tmp_path: Path) -> None:
    views = opened(tmp_path)
    with pytest.raises(ValueError, match="marks"):
        views.put(view_with("@", 1))
    views.close()
