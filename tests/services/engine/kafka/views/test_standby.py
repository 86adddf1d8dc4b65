"""A worker that follows a partition has nearly all of it when it takes it over, and follows again when it let it go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from services.engine.kafka.views import PartitionViews, Refolding, Restored, Standby, open_partition, restore
from tests.services.engine.kafka.views.conftest import Written
from tests.support.case_views import link_of_case, view_with

pytestmark = pytest.mark.kafka

ONE = link_of_case("one", 1, 5)


@asynccontextmanager
async def standing_by(directory: Path, written: Written) -> AsyncIterator[Standby]:
    standby = Standby(directory, written.bootstrap, topic=written.views)
    await standby.follow([0])
    running = asyncio.create_task(standby.run())
    try:
        yield standby
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


def followed_to(standby: Standby, offset: int) -> Callable[[], bool]:
    return lambda: any((each.read_to, each.behind) == (offset, 0) for each in standby.followed.values())


def opened(directory: Path, written: Written) -> PartitionViews:
    return open_partition(directory, 0, epoch=1, topic=written.views)


async def restored(views: PartitionViews, written: Written) -> Restored:
    return await restore(views, written.bootstrap, refolding=Refolding(lambda view, record: view, written.events))


async def test_taking_over_and_giving_back(tmp_path: Path, written: Written) -> None:
    owner = opened(tmp_path / "owner", written)
    await restored(owner, written)
    for number in range(40):
        owner.put(view_with(f"case {number}", 2))
    await written.settle(owner, 10)
    async with standing_by(tmp_path / "other", written) as standby:
        await until(followed_to(standby, 41))
        owner.put(view_with("one", 1, ONE), [ONE])
        await written.settle(owner, 11)
        await until(followed_to(standby, 43))
        await standby.release(0)
        assert standby.followed == {}
        owner.put(view_with("one", 2, ONE), [ONE])
        await written.settle(owner, 12)
        owner.close()

        taken = opened(tmp_path / "other", written)
        found = await restored(taken, written)
        assert (found.views, found.read, found.source, found.offset) == (41, 2, "local file and topic", 12)
        assert taken.get("one") == view_with("one", 2, ONE)
        taken.put(view_with("two", 1))
        await written.settle(taken, 13)
        taken.close()

        await standby.take_back(0)
        await until(followed_to(standby, 47))
        back = opened(tmp_path / "owner", written)
        await restored(back, written)
        assert back.get("two") == view_with("two", 1)
        back.put(view_with("three", 1))
        await written.settle(back, 14)
        back.close()
        await until(followed_to(standby, 49))
    again = opened(tmp_path / "other", written)
    found = await restored(again, written)
    assert (found.views, found.read, found.source, found.offset) == (43, 0, "local file", 14)
    again.close()


async def test_a_file_from_another_cluster_is_begun_anew(tmp_path: Path, written: Written) -> None:
    elsewhere = opened(tmp_path / "other", written)
    elsewhere.put(view_with("elsewhere", 1))
    elsewhere.settle(elsewhere.checkpoint(900), range(0, 2))
    elsewhere.close()
    owner = opened(tmp_path / "owner", written)
    await restored(owner, written)
    for case_id in ("one", "two"):
        owner.put(view_with(case_id, 1))
        await written.settle(owner, 5)
    owner.close()
    async with standing_by(tmp_path / "other", written) as standby:
        await until(followed_to(standby, 4))
    again = opened(tmp_path / "other", written)
    assert again.get("elsewhere").facts == {}
    assert again.get("one") == view_with("one", 1)
    again.close()


async def test_a_partition_in_use_is_told_and_the_others_are_followed(tmp_path: Path, written: Written) -> None:
    mine = open_partition(tmp_path, 5, epoch=1, topic=written.views)
    async with standing_by(tmp_path, written) as standby:
        await standby.follow([0, 5])
        await until(lambda: 5 in standby.refused and 0 in standby.followed)
        assert "in use" in standby.refused[5]
        await standby.follow([0])
        assert standby.refused == {}
    mine.close()
