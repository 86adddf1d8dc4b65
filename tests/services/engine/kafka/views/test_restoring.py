"""A partition on a real broker: restored from its file, from the topic, from both, and by folding again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ccr_events.core.view import CaseView
from services.engine.kafka.batches.records import Record
from services.engine.kafka.topics import KafkaUnreachable
from services.engine.kafka.views import PartitionViews, Refolding, Restored, open_partition, restore
from services.engine.kafka.views.refolding import MOST_CASES
from tests.services.engine.kafka.views.conftest import Written
from tests.support.case_views import fact_of_case, link_of_case, minute, view_with

pytestmark = pytest.mark.kafka

ONE = link_of_case("one", 1, 5, 10)


def opened(directory: Path, written: Written, **more: int) -> PartitionViews:
    return open_partition(directory, 0, epoch=1, topic=written.views, **more)


async def restored(views: PartitionViews, written: Written) -> Restored:
    return await restore(views, written.bootstrap, refolding=Refolding(folded_again, written.events))


def folded_again(view: CaseView, record: Record) -> CaseView:
    """Stands for the fold: a record holds the number of its case's fact."""
    number = int(record.value or b"")
    facts = {**view.facts, fact_of_case(view.case_id, number).id: fact_of_case(view.case_id, number)}
    links = {ONE.id: ONE} if view.case_id == "one" else {}
    return CaseView(view.case_id, facts, links)


async def history(written: Written, case_ids: Sequence[str], facts: int) -> int:
    """So many events of each of these cases, in turn; returns the next offset."""
    events = [(case_id.encode(), b"%d" % number) for number in range(facts) for case_id in case_ids]
    return (await written.write(written.events, events)).stop


async def test_a_new_worker_reads_the_topic_and_later_only_what_its_file_lacks(
    tmp_path: Path, written: Written
) -> None:
    first = opened(tmp_path / "first", written)
    assert (await restored(first, written)).source == "nothing"
    made = [view_with(f"case {number}", 3) for number in range(500)]
    for view in [*made, view_with("one", 1, ONE)]:
        first.put(view, view.links.values())
    await written.settle(first, 40)
    second = opened(tmp_path / "second", written)
    found = await restored(second, written)
    assert (found.views, found.read, found.source, found.offset) == (501, 502, "topic", 40)
    assert second.epoch > first.epoch
    assert [second.get(view.case_id) for view in made] == made
    assert second.next_at() == minute(5)
    second.put(view_with("one", 2))
    await written.settle(second, 41)
    second.close()
    again = opened(tmp_path / "second", written)
    found = await restored(again, written)
    assert (found.read, found.source, found.offset) == (0, "local file", 41)
    again.close()
    first.close()
    back = opened(tmp_path / "first", written)
    found = await restored(back, written)
    assert (found.views, found.read, found.source, found.offset) == (501, 2, "local file and topic", 41)
    assert back.get("one") == view_with("one", 2)
    assert back.next_at() is None
    back.close()


async def test_a_file_of_a_cluster_that_was_set_up_anew_is_set_aside(tmp_path: Path, written: Written) -> None:
    views = opened(tmp_path, written)
    views.put(view_with("elsewhere", 1))
    views.settle(views.checkpoint(3))
    views.close()
    views = opened(tmp_path, written)
    found = await restored(views, written)
    assert (found.views, found.source, found.offset) == (0, "nothing", 0)
    assert found.set_aside is not None
    assert "set aside" in found.set_aside
    assert views.get("elsewhere").facts == {}
    views.put(view_with("one", 1, ONE), [ONE])
    await written.settle(views, 7)
    views.close()
    other = opened(tmp_path / "other", written)
    other.put(view_with("elsewhere", 1))
    other.settle(other.checkpoint(9))
    other.close()
    other = opened(tmp_path / "other", written)
    found = await restored(other, written)
    assert (found.views, found.source, found.offset) == (1, "topic", 7)
    assert other.get("elsewhere").facts == {}
    other.close()


async def test_a_huge_case_is_refolded_from_its_events_by_the_next_owner(tmp_path: Path, written: Written) -> None:
    end = await history(written, ["one", "two"], 30)
    first = opened(tmp_path / "first", written, max_value_bytes=300)
    large, small = view_with("one", 30, ONE), view_with("two", 1)
    first.put(large, [ONE])
    first.put(small)
    await written.settle(first, end)
    await history(written, ["one"], 31)
    first.close()
    second = opened(tmp_path / "second", written, max_value_bytes=300)
    found = await restored(second, written)
    assert (found.views, found.refolded, found.offset, found.whole) == (2, 1, end, False)
    assert second.get("one") == large
    assert second.get("two") == small
    assert second.next_at() == minute(5)
    await written.settle(second, end)
    second.close()
    again = opened(tmp_path / "second", written)
    found = await restored(again, written)
    assert (found.read, found.refolded) == (0, 0)
    assert again.get("one") == large
    again.close()
    kept = opened(tmp_path / "first", written)
    assert (await restored(kept, written)).refolded == 1
    assert kept.get("one") == large
    kept.close()


async def test_with_too_many_of_them_the_input_is_folded_again_from_the_beginning(
    tmp_path: Path, written: Written
) -> None:
    first = opened(tmp_path / "first", written, max_value_bytes=100)
    for number in range(MOST_CASES + 1):
        first.put(view_with(f"case {number}", 2))
    await written.settle(first, 50)
    first.close()
    second = opened(tmp_path / "second", written)
    found = await restored(second, written)
    assert (found.offset, found.refolded, found.whole) == (0, 0, True)
    assert second.get("case 3").facts == {}
    second.put(view_with("case 3", 1))
    assert second.get("case 3") == view_with("case 3", 1)
    second.close()


async def test_a_view_that_is_damaged_on_the_disk_is_refolded_at_the_next_start(
    tmp_path: Path, written: Written
) -> None:
    end = await history(written, ["one"], 2)
    views = opened(tmp_path, written)
    views.put(view_with("one", 2, ONE), [ONE])
    await written.settle(views, end)
    views.file._connection.execute("UPDATE views SET packed = substr(packed, 1, 20)")
    views.close()
    views = opened(tmp_path, written)
    await restored(views, written)
    with pytest.raises(Exception, match=r"one.*damaged.*starts again"):
        views.get("one")
    views.close()
    views = opened(tmp_path, written)
    assert (await restored(views, written)).refolded == 1
    assert views.get("one") == view_with("one", 2, ONE)
    views.close()


async def test_a_broker_that_is_not_there_is_named(tmp_path: Path) -> None:
    views = open_partition(tmp_path, 0, epoch=1)
    with pytest.raises(KafkaUnreachable, match=r"127\.0\.0\.1:1 "):
        await restore(views, "127.0.0.1:1", refolding=Refolding(folded_again))
    views.close()
